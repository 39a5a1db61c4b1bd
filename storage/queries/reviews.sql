-- What people make of answers and their tags.

-- part: may_be_shown
-- Whether a coder may see words of a response r at all. Of a group no more people are counted
-- than it takes.
(r.respondent_id is null or :not_of not like '%|' || r.respondent_id || '|%')
and (:least <= 1 or (
    select count(*) from (
        select distinct p.person from (
            select coalesce(g.respondent_id, g.response_id) as person from responses g
            where g.wave_id = r.wave_id
            union all
            select coalesce(g.respondent_id, g.response_id) from responses g
            where r.wave_id is null and g.wave_id is null and g.survey_id = r.survey_id
            and coalesce(g.cohort, '') = coalesce(r.cohort, '')
        ) p
        limit :least
    ) few
) >= :least)

-- part: left_to_review
-- An answer that is gone from its person's words is gone from the sample too. Where an answer is
-- to be read blind, who saw tags has not read it.
from sampled d
join samples s on s.sample_id = d.sample_id
join answers a on a.response_id = d.response_id and a.question_id = d.question_id
join responses r on r.response_id = d.response_id
where d.sample_id = :sample_id and a.text <> '' and a.missing is null
and not exists (
    select 1 from reviews v
    where v.response_id = d.response_id and v.question_id = d.question_id and v.coder = :coder
    and (v.state = 'done' or v.number > :skipped_until)
)
and (
    select count(*) from reviews v
    where v.response_id = d.response_id and v.question_id = d.question_id and v.coder <> :coder
    and v.state = 'done'
    and (v.blind = 1 or s.mode = 'disagreement' or (s.blind = 0 and d.coders_wanted = 1))
) < d.coders_wanted
and @may_be_shown

-- name: next_to_review
-- What somebody else has in hand comes last, and not never: they may not come back.
select d.response_id, d.question_id
@left_to_review
order by case when exists (
    select 1 from review_drafts o
    where o.response_id = d.response_id and o.question_id = d.question_id and o.coder <> :coder
) then 1 else 0 end, d.place
limit 1

-- name: count_to_review
select count(*) as n
@left_to_review

-- name: to_review
-- What is to be read blind in one sample is shown so in every other.
select a.question, a.text, a.tagged_by, r.language, s.mode, case when exists (
    select 1 from sampled e
    join samples o on o.sample_id = e.sample_id
    where e.response_id = d.response_id and e.question_id = d.question_id
    and o.mode <> 'disagreement' and (o.blind = 1 or e.coders_wanted > 1)
) then 1 else 0 end as blind
from sampled d
join samples s on s.sample_id = d.sample_id
join answers a on a.response_id = d.response_id and a.question_id = d.question_id
join responses r on r.response_id = d.response_id
where d.sample_id = :sample_id and d.response_id = :response_id and d.question_id = :question_id
and a.text <> '' and a.missing is null

-- name: codings_on
select c.enabler, c.stance, c.span_text, c.span_start, c.span_end, c.confidence, c.threshold,
    c.coder, c.source, c.coded_at, c.status
from codings c
where c.response_id = :response_id and c.question_id = :question_id
order by c.span_start, c.span_end, c.enabler, coalesce(c.stance, ''), c.coder

-- name: hold_words.sqlite
select 1 as held from answers
where response_id = :response_id and question_id = :question_id and text = :text

-- name: hold_words.postgres
-- Nobody changes them until it is saved what was made of them.
select 1 as held from answers
where response_id = :response_id and question_id = :question_id and text = :text
for update

-- name: may_show
select 1 as may
from responses r
where r.response_id = :response_id
and @may_be_shown

-- name: in_hand
select response_id, question_id, body from review_drafts
where coder = :coder and sample_id = :sample_id

-- name: keep_draft
insert into review_drafts (coder, sample_id, response_id, question_id, body)
values (:coder, :sample_id, :response_id, :question_id, :body)
on conflict (coder, sample_id) do update set
    response_id = excluded.response_id, question_id = excluded.question_id, body = excluded.body

-- name: drop_draft
delete from review_drafts where coder = :coder and sample_id = :sample_id

-- name: drop_draft_on
delete from review_drafts
where coder = :coder and response_id = :response_id and question_id = :question_id

-- name: drop_review_codings
delete from codings
where response_id = :response_id and question_id = :question_id and coder = :coder
and source = 'coder'

-- name: drop_review
delete from reviews
where response_id = :response_id and question_id = :question_id and coder = :coder

-- name: add_review
-- A loose response knows days only.
insert into reviews (
    response_id, question_id, coder, sample_id, number, blind, state, reviewed_at,
    codeframe_version
)
select r.response_id, :question_id, :coder, :sample_id, :number, :blind, :state,
    case when r.respondent_id is null then substr(:at, 1, 10) else :at end, :codeframe_version
from responses r where r.response_id = :response_id

-- name: last_number
select coalesce(max(number), 0) as n from reviews where coder = :coder

-- name: newest_review
select v.response_id, v.question_id, v.state
from reviews v
where v.coder = :coder and v.sample_id = :sample_id
order by v.number desc
limit 1

-- name: reviewed_answers
-- Written as a cross join, SQLite looks at the few reviews first.
select v.response_id, v.question_id, v.coder, v.sample_id, v.number, v.blind, v.state,
    v.reviewed_at, v.codeframe_version, r.survey_id, r.wave_id, r.cohort, r.role, r.channel,
    r.language, a.question, a.text, case when a.tag_error is null then a.tagged_by end as tagged_by,
    d.sample_id as drawn_in, d.place, d.probability, d.coders_wanted,
    case when m.mode = 'disagreement' then 1 else 0 end as settles
from reviews v
cross join answers a
cross join responses r
left join samples m on m.sample_id = v.sample_id
left join sampled d on d.response_id = v.response_id and d.question_id = v.question_id
    and d.sample_id = :sample_id
where a.response_id = v.response_id and a.question_id = v.question_id
and r.response_id = v.response_id
and (cast(:sample_id as text) is null or d.sample_id is not null)
order by v.response_id, a.place, v.question_id, v.coder

-- name: reviewed_codings
select c.response_id, c.question_id, c.enabler, c.stance, c.span_text, c.span_start, c.span_end,
    c.confidence, c.threshold, c.coder, c.source, c.coded_at, c.status
from (select distinct response_id, question_id from reviews) v
cross join codings c
where c.response_id = v.response_id and c.question_id = v.question_id
and (cast(:sample_id as text) is null or exists (
    select 1 from sampled d
    where d.sample_id = :sample_id and d.response_id = c.response_id
    and d.question_id = c.question_id
))
order by c.response_id, c.question_id, c.span_start, c.span_end, c.enabler,
    coalesce(c.stance, ''), c.coder

-- name: member_checks
-- What people said of the tags of their own words, beside what the tagger says that read them
-- last, and nothing of who they are.
select c.response_id, c.question_id, a.question, a.text, c.enabler, c.stance, c.span_text,
    c.span_start, c.span_end, c.confidence, c.threshold, c.coder, c.source, c.coded_at, c.status
from (select distinct response_id, question_id from codings where source = 'respondent') o
cross join answers a
cross join codings c
where a.response_id = o.response_id and a.question_id = o.question_id
and c.response_id = o.response_id and c.question_id = o.question_id
and (c.source = 'respondent' or (c.coder = a.tagged_by and a.tag_error is null))
order by c.response_id, a.place, c.question_id, c.span_start, c.span_end, c.enabler,
    coalesce(c.stance, ''), c.coder

-- name: review_progress
select count(*) as n, coalesce(sum(case when (
    select count(*) from reviews v
    where v.response_id = d.response_id and v.question_id = d.question_id and v.state = 'done'
    and (v.blind = 1 or s.mode = 'disagreement' or (s.blind = 0 and d.coders_wanted = 1))
) >= d.coders_wanted then 1 else 0 end), 0) as n_done
from sampled d
join samples s on s.sample_id = d.sample_id
join answers a on a.response_id = d.response_id and a.question_id = d.question_id
where d.sample_id = :sample_id and a.text <> '' and a.missing is null

-- name: review_counts
select v.coder, v.state, count(*) as n
from sampled d
join samples s on s.sample_id = d.sample_id
join reviews v on v.response_id = d.response_id and v.question_id = d.question_id
where d.sample_id = :sample_id and (
    v.state <> 'done' or v.blind = 1 or s.mode = 'disagreement'
    or (s.blind = 0 and d.coders_wanted = 1)
)
group by v.coder, v.state
order by v.coder

-- name: reviews_of
select question_id, reviewed_at from reviews
where response_id = :response_id
order by reviewed_at, question_id, coder

-- name: retract_reviews
-- Who changes their words takes back what people made of the old ones.
delete from reviews
where response_id = :response_id and question_id = :question_id
and exists (
    select 1 from answers a
    where a.response_id = :response_id and a.question_id = :question_id and a.text <> :text
)

-- name: retract_drafts
delete from review_drafts
where response_id = :response_id and question_id = :question_id
and exists (
    select 1 from answers a
    where a.response_id = :response_id and a.question_id = :question_id and a.text <> :text
)

-- name: next_turn
select coalesce(max(turn), 0) + 1 as turn from outbox where session_id = :session_id

-- name: shown_beside
-- What somebody has before them in a chat, or will in a moment.
select 1 as shown from outbox
where session_id = :session_id and respondent_id = :respondent_id and lasting = 0
and (state = 'claimed' or (state = 'sent' and position is not null))
limit 1

-- name: unshow_reviews
-- What coders have in hand of somebody's words and were not shown yet, or were done with
-- elsewhere before they were.
delete from outbox
where state in ('pending', 'dead') and session_id in (
    select 'review:' || o.coder from responses r
    join review_drafts o on o.response_id = r.response_id
    where r.respondent_id = :respondent_id
    union all
    select 'review:' || v.coder from responses r
    join reviews v on v.response_id = r.response_id
    where r.respondent_id = :respondent_id
)

-- name: blank_reviews
-- One on its way is not sent again, should its sender die.
update outbox set body = null
where state = 'claimed' and session_id in (
    select 'review:' || o.coder from responses r
    join review_drafts o on o.response_id = r.response_id
    where r.respondent_id = :respondent_id
    union all
    select 'review:' || v.coder from responses r
    join reviews v on v.response_id = r.response_id
    where r.respondent_id = :respondent_id
)

-- name: unshow_changed
-- Words that changed before a coder was shown them: nothing would tell any more whose they were.
delete from outbox
where state in ('pending', 'dead') and session_id in (
    select 'review:' || o.coder from answers a
    join review_drafts o on o.response_id = a.response_id and o.question_id = a.question_id
    where a.response_id = :response_id and a.question_id = :question_id and a.text <> :text
    union all
    select 'review:' || v.coder from answers a
    join reviews v on v.response_id = a.response_id and v.question_id = a.question_id
    where a.response_id = :response_id and a.question_id = :question_id and a.text <> :text
)
