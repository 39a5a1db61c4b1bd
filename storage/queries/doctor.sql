-- What `pulse doctor` asks. It reads only.

-- name: doctor_waiting
-- What is due, by channel: not what waits for its hour, nor broadcasts of a paused wave.
select o.channel, count(*) as n, min(o.due_at) as oldest
from outbox o
where o.state = 'pending' and o.due_at <= :now
and not exists (
    select 1 from waves w
    where o.lane = 1 and w.wave_id = o.wave_id and w.state in ('paused', 'closing')
)
group by o.channel
order by o.channel

-- name: doctor_claims
select count(*) as n, min(claimed_until) as oldest
from outbox where state = 'claimed' and claimed_until <= :now

-- name: doctor_dead
select channel, count(*) as n from outbox where state = 'dead' group by channel order by channel

-- name: doctor_unread
-- Answers in words that no model has read, those in a language that it does not know, and those
-- that one broke on.
select count(*) as n,
    sum(case when a.tag_error = :foreign then 1 else 0 end) as foreigners,
    sum(case when a.tag_error <> :foreign then 1 else 0 end) as broken
from answers a
join responses r on r.response_id = a.response_id
join surveys s on s.survey_id = r.survey_id and s.revision = r.revision
where a.kind = 'text' and a.text <> '' and a.missing is null
and (a.tagged_by is null or a.tag_error is not null)
and (s.anonymous = 0 or r.respondent_id is null)

-- name: doctor_waves
select wave_id, state, closes_at from waves where state <> 'closed' order by wave_id

-- name: doctor_answers
select count(*) as n from answers

-- name: doctor_recent
select count(*) as n from answers where asked_at >= :since
