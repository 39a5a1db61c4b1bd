-- How a wave stands: numbers only.

-- name: count_states
select channel, state, disposition, consented, count(*) as n from invitations
where wave_id = :wave_id
group by channel, state, disposition, consented

-- name: count_to_send
-- What is still to be sent of our own accord, by channel and by when it may go.
select channel, case when due_at > :now then 1 else 0 end as later, count(*) as n,
    max(due_at) as last_due_at
from outbox
where wave_id = :wave_id and lane = 1 and state in ('pending', 'claimed')
group by channel, case when due_at > :now then 1 else 0 end

-- name: count_waiting
select count(*) as n from outbox where wave_id = :wave_id and state in ('pending', 'claimed')

-- name: wave_before
select wave_id from waves
where pulse = :pulse and cohort = :cohort and opens_at < :opens_at and state = 'closed'
order by opens_at desc, wave_id
limit 1

-- name: count_panel
-- Of those who answered a wave: who was invited to a later one, and who has answered that.
select count(*) as answered, count(case when j.disposition <> 'screened_out' then 1 end) as invited,
    count(case when j.disposition in ('complete', 'partial') or j.state = 'interim_partial'
        then 1 end) as again
from invitations i
left join invitations j on j.respondent_id = i.respondent_id and j.wave_id = :wave_id
where i.wave_id = :before and i.disposition in ('complete', 'partial')

-- name: count_entered
-- Who has answered a wave, and was not invited to an earlier one or did not answer it.
select count(*) as n from invitations j
where j.wave_id = :wave_id
and (j.disposition in ('complete', 'partial') or j.state = 'interim_partial')
and not exists (
    select 1 from invitations i
    where i.wave_id = :before and i.respondent_id = j.respondent_id
    and i.disposition in ('complete', 'partial')
)
