-- What a closed wave said: its figures, its pictures, and whom we still have to tell.

-- name: keep_picture
insert into pictures (picture_id, content, made_at) values (:picture_id, :content, :at)
on conflict do nothing

-- name: picture
select content from pictures where picture_id = :picture_id

-- name: hush
update waves set silent = 1 where wave_id = :wave_id

-- name: hushed
select silent from waves where wave_id = :wave_id

-- name: results_due
-- Closed, with no results yet, and read to the end or closed long enough ago.
select w.wave_id from waves w
where w.state = 'closed'
and not exists (select 1 from results s where s.wave_id = w.wave_id)
and (w.closes_at <= :before or not exists (
    select 1 from responses r
    join answers a on a.response_id = r.response_id
    where r.wave_id = w.wave_id and a.kind = 'text' and a.text <> '' and a.missing is null
    and a.tagged_by is null
))
order by w.closes_at, w.wave_id
limit :limit

-- name: keep_results
insert into results (wave_id, figures, pictures, made_at, told_after)
values (:wave_id, :figures, :pictures, :at, :told_after)
on conflict do nothing

-- name: results
select wave_id, figures, pictures, made_at, told_after from results where wave_id = :wave_id

-- name: untold_results
select wave_id, figures, pictures, made_at, told_after from results
where told_after is not null
order by made_at, wave_id

-- name: results_for
-- Of closed waves of this person's cohorts, the one that closed last first.
select s.wave_id, s.figures, s.pictures, s.made_at, s.told_after
from memberships m
join waves w on w.cohort = m.cohort
join results s on s.wave_id = w.wave_id
where m.respondent_id = :respondent_id and w.state = 'closed'
order by w.closes_at desc, w.opens_at desc, w.wave_id desc
limit :limit

-- name: tell_on
-- Who comes second changes nothing: the first has told these people.
update results set told_after = :after where wave_id = :wave_id and told_after = :before

-- name: erase_told_results
-- Telling goes on from the neighbour before: everybody up to there is told as well.
update results set told_after = (
    select coalesce(max(r.respondent_id), '') from respondents r
    where r.respondent_id < :respondent_id
)
where told_after = :respondent_id

-- name: erase_told_replies
update replies set told_after = (
    select coalesce(max(r.respondent_id), '') from respondents r
    where r.respondent_id < :respondent_id
)
where told_after = :respondent_id

-- name: audience
-- Members who were invited, and not screened out, and may be written to.
select r.respondent_id, r.role, r.sector, r.language, r.opted_out_at, a.channel, a.reachable
from invitations i
join waves w on w.wave_id = i.wave_id
join memberships m on m.respondent_id = i.respondent_id and m.cohort = w.cohort
join respondents r on r.respondent_id = i.respondent_id
join addresses a on a.respondent_id = i.respondent_id
where i.wave_id = :wave_id and i.respondent_id > :after and i.disposition <> 'screened_out'
and a.reachable = 1 and a.leaving = 0 and r.opted_out_at is null
order by i.respondent_id
limit :limit

-- name: keep_reply
insert into replies (
    reply_id, cohort, enabler, stance, waves, words, author, people, made_at, told_after
) values (
    :reply_id, :cohort, :enabler, :stance, :waves, :words, :author, :people, :at, ''
)

-- name: replies
select reply_id, cohort, enabler, stance, waves, words, author, people, made_at, told_after
from replies
order by made_at desc, reply_id

-- name: untold_replies
select reply_id, cohort, enabler, stance, waves, words, author, people, made_at, told_after
from replies
where told_after is not null
order by made_at, reply_id

-- name: reply_on
-- Who comes second changes nothing: the first has told these people.
update replies set told_after = :after where reply_id = :reply_id and told_after = :before

-- name: carriers
-- Members whose words in a wave carry a code, and who may be written to. Of a response that
-- was cut loose nobody is known.
select r.respondent_id, r.role, r.sector, r.language, r.opted_out_at, a.channel, a.reachable
from waves w
join responses s on s.wave_id = w.wave_id
join memberships m on m.respondent_id = s.respondent_id and m.cohort = w.cohort
join respondents r on r.respondent_id = s.respondent_id
join addresses a on a.respondent_id = s.respondent_id
where w.wave_id = :wave_id and s.respondent_id > :after
and a.reachable = 1 and a.leaving = 0 and r.opted_out_at is null
and exists (
    select 1 from codings c
    join answers a on a.response_id = c.response_id and a.question_id = c.question_id
    where c.response_id = s.response_id and c.enabler = :enabler
    and (:stance = '' or c.stance = :stance) and @counts
)
order by s.respondent_id
limit :limit

-- name: count_carriers
-- Everybody whose words in a wave carry a code, whoever they are.
select count(*) as n from responses s
where s.wave_id = :wave_id and exists (
    select 1 from codings c
    join answers a on a.response_id = c.response_id and a.question_id = c.question_id
    where c.response_id = s.response_id and c.enabler = :enabler
    and (:stance = '' or c.stance = :stance) and @counts
)
