-- What is counted of a closed wave, a response being a person. Nothing of it is shown before it
-- has passed storage/reports/suppression.py.

-- name: report_people
-- Invited, without whom we did not ask after all; with at least one answer; with words that
-- were read.
select
    (
        select count(*) from invitations i
        where i.wave_id = :wave_id and i.disposition <> 'screened_out'
    ) as invited,
    (
        select count(distinct a.response_id)
        from responses r
        join answers a on a.response_id = r.response_id
        where r.wave_id = :wave_id and a.value is not null
    ) as answered,
    (
        select count(distinct a.response_id)
        from responses r
        join answers a on a.response_id = r.response_id
        where r.wave_id = :wave_id and a.kind = 'text' and a.text <> '' and a.missing is null
        and a.tagged_by is not null
    ) as read

-- name: report_values
select a.question_id, a.value, count(*) as n
from responses r
join answers a on a.response_id = r.response_id
where r.wave_id = :wave_id and a.kind in ('scale', 'yesno', 'choice') and a.value is not null
group by a.question_id, a.value

-- part: counts
-- Whether a coding c of an answer a counts. What whoever read an answer last says it holds; where
-- nobody did, what its person says and what the model says that read it last, save what its
-- person says it is not.
c.status <> 'rejected'
and c.coder = coalesce((
    select v.coder from reviews v
    where v.response_id = a.response_id and v.question_id = a.question_id and v.state = 'done'
    order by v.reviewed_at desc, v.coder desc
    limit 1
), case when c.status = 'confirmed' then c.coder else a.tagged_by end)
and not (c.source = 'tagger' and exists (
    select 1 from codings n
    where n.response_id = c.response_id and n.question_id = c.question_id
    and n.source = 'respondent' and n.status = 'rejected' and n.enabler = c.enabler
    and coalesce(n.stance, '') = coalesce(c.stance, '')
))

-- name: report_mentions
select c.enabler, c.stance, count(distinct r.response_id) as n
from responses r
join answers a on a.response_id = r.response_id
join codings c on c.response_id = a.response_id and c.question_id = a.question_id
where r.wave_id = :wave_id and c.stance is not null and @counts
group by c.enabler, c.stance
