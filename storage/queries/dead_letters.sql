-- What is in the outbox, for those who look after it: never what it says, or to which address.

-- name: outbox_depth
select channel, lane, state, count(*) as n, min(due_at) as oldest_at
from outbox
where state <> 'sent'
group by channel, lane, state
order by channel, lane, state

-- name: letters
-- Empty: whatever it is.
select outbox_id, respondent_id, channel, lane, state, wave_id, due_at, dead_at, attempts, doubt,
    error, case when body is null then 0 else 1 end as kept
from outbox
where state <> 'sent'
and (cast(:channel as text) = '' or channel = :channel)
and (cast(:state as text) = '' or state = :state)
and (cast(:wave_id as text) = '' or wave_id = :wave_id)
order by channel, lane, state, due_at, outbox_id
limit :limit

-- name: letter
select outbox_id, respondent_id, channel, lane, state, wave_id, due_at, dead_at, attempts, doubt,
    error, case when body is null then 0 else 1 end as kept
from outbox
where outbox_id = :outbox_id and state <> 'sent'

-- name: revive
update outbox
set state = 'pending', due_at = :now, attempts = 0, error = null, dead_at = null
where outbox_id = :outbox_id and state = 'dead' and body is not null

-- name: drop_letter
-- One that may have been seen stays as such, without its words.
update outbox set state = 'sent', body = null, dead_at = null
where outbox_id = :outbox_id and state in ('pending', 'dead') and doubt = 1
and session_id is not null

-- name: forget_letter
delete from outbox
where outbox_id = :outbox_id and state in ('pending', 'dead')
and (doubt = 0 or session_id is null)

-- name: old_dead
select outbox_id from outbox where state = 'dead' and dead_at < :before

-- name: empty_overtaken
-- Nobody needs the words of a prompt that a newer one took the place of.
update outbox set body = null
where session_id = :session_id and state = 'dead' and lasting = 0 and turn < :turn
