-- What leaves the house. A person's messages go one at a time, replies before broadcasts,
-- each in the order in which they came.

-- name: put_out
insert into outbox (
    respondent_id, channel, session_id, wave_id, turn, lane, state, body, in_place, lasting,
    farewell, due_at, quiet_at, expires_at, number, chat
) values (
    :respondent_id, :channel, :session_id, :wave_id, :turn, :lane, 'pending', :body, :in_place,
    :lasting, :farewell, :due_at, :quiet_at, :expires_at, :number, :chat
)

-- name: reopen_expired
update outbox
set state = 'pending', claimed_until = null, claimed_by = null, attempts = attempts + 1, doubt = 1
where channel = :channel and state = 'claimed' and claimed_until <= :now

-- name: claimable_replies
-- What a later prompt overtook, or the closing of its wave, is given too: the caller drops it.
-- What was never tried is due, whatever the clock of the worker that wrote it says.
select o.outbox_id, o.respondent_id, o.session_id, o.turn, o.body, o.in_place, o.lasting,
    o.attempts, o.doubt, coalesce(o.chat, a.chat) as chat,
    exists (
        select 1 from outbox n
        where n.session_id = o.session_id and n.outbox_id > o.outbox_id
        and n.lasting = 0 and n.turn > o.turn
    ) or (
        o.lasting = 0 and exists (
            select 1 from sessions s
            where s.session_id = o.session_id and s.status = 'closed' and s.turn > o.turn
        )
    ) as overtaken
from outbox o
left join addresses a on a.respondent_id = o.respondent_id
where o.channel = :channel and o.lane = 0 and o.state = 'pending'
and (o.due_at <= :now or o.attempts = 0)
and (cast(:chat as text) is null or a.chat = :chat)
and not exists (
    select 1 from outbox e
    where e.respondent_id = o.respondent_id and e.state in ('claimed', 'pending')
    and (e.state = 'claimed' or (e.lane = 0 and e.outbox_id < o.outbox_id))
)
order by o.due_at, o.outbox_id
limit :limit

-- name: waiting_waves
-- Waves with broadcasts that are due, the longest due first; empty for those of no wave. It
-- jumps from wave to wave in the index, however many messages each of them has.
with recursive waiting (wave_id) as (
    select (
        select coalesce(o.wave_id, '') from outbox o
        where o.channel = :channel and o.lane = 1 and o.state = 'pending'
        order by coalesce(o.wave_id, '')
        limit 1
    )
    union all
    select (
        select coalesce(o.wave_id, '') from outbox o
        where o.channel = :channel and o.lane = 1 and o.state = 'pending'
        and coalesce(o.wave_id, '') > waiting.wave_id
        order by coalesce(o.wave_id, '')
        limit 1
    )
    from waiting
    where waiting.wave_id is not null
), first_due (wave_id, due_at) as (
    select waiting.wave_id, (
        select o.due_at from outbox o
        where o.channel = :channel and o.lane = 1 and o.state = 'pending'
        and coalesce(o.wave_id, '') = waiting.wave_id
        order by o.due_at
        limit 1
    )
    from waiting
    where waiting.wave_id is not null and not exists (
        select 1 from waves w
        where w.wave_id = waiting.wave_id and w.state in ('paused', 'closing')
    )
)
select wave_id from first_due where due_at <= :now order by due_at, wave_id

-- name: claimable_broadcasts
-- Of one wave. An earlier broadcast that waits for its hour or its wave holds up no later one;
-- one that is tried again does. Overtaken: as above; one whose time is over comes to be dropped
-- too.
select o.outbox_id, o.respondent_id, o.session_id, o.wave_id, o.number, o.turn, o.body,
    o.in_place, o.lasting, o.attempts, o.doubt, coalesce(o.chat, a.chat) as chat,
    case when o.expires_at <= :now then 1 else 0 end as expired,
    exists (
        select 1 from outbox n
        where n.session_id = o.session_id and n.outbox_id > o.outbox_id
        and n.lasting = 0 and n.turn > o.turn
    ) or (
        o.lasting = 0 and exists (
            select 1 from sessions s
            where s.session_id = o.session_id and s.status = 'closed' and s.turn > o.turn
        )
    ) as overtaken
from outbox o
left join addresses a on a.respondent_id = o.respondent_id
where o.channel = :channel and o.lane = 1 and o.state = 'pending'
and coalesce(o.wave_id, '') = :wave_id and o.due_at <= :now
and (cast(:chat as text) is null or a.chat = :chat)
and (o.quiet_at is null or o.quiet_at > :now or o.expires_at <= :now)
and not exists (
    select 1 from outbox e
    where e.respondent_id = o.respondent_id and e.state in ('claimed', 'pending')
    and (e.state = 'claimed' or e.lane = 0 or (
        e.outbox_id < o.outbox_id and not (
            (e.attempts = 0 and e.due_at > :now)
            or (e.quiet_at is not null and e.quiet_at <= :now)
            or (e.expires_at is not null and e.expires_at <= :now)
            or exists (
                select 1 from waves w
                where w.wave_id = e.wave_id and w.state in ('paused', 'closing')
            )
        )
    ))
)
order by o.due_at, o.outbox_id
limit :limit

-- name: claim
-- Looked at once more: where several claim, another may have come first.
update outbox set state = 'claimed', claimed_until = :until, claimed_by = :worker_id
where outbox_id = :outbox_id and state = 'pending' and not exists (
    select 1 from outbox e
    where e.respondent_id = outbox.respondent_id and e.state = 'claimed'
)

-- name: drop_message
delete from outbox where outbox_id = :outbox_id

-- name: give_up_doubtful
-- Overtaken, and perhaps sent: it stays as something that the person may have seen.
update outbox set state = 'sent', body = null where outbox_id = :outbox_id

-- name: newest_position
-- Of what stands last in a chat, or may: null where nobody knows the place of that. A coder may
-- read on two platforms.
select position from outbox
where session_id = :session_id and (state = 'sent' or doubt = 1) and lasting = 0
and outbox_id <> :outbox_id
and channel = (select o.channel from outbox o where o.outbox_id = :outbox_id)
order by outbox_id desc
limit 1

-- name: outbox_row
-- Of a broadcast, also the invitation that it is about.
select o.respondent_id, o.session_id, o.state, o.farewell, o.claimed_by,
    s.invitation_id
from outbox o
left join sessions s on s.session_id = o.session_id and o.lane = 1
where o.outbox_id = :outbox_id

-- name: sent
-- A doubt stays: the person may have answered the copy that we know nothing of.
update outbox
set state = 'sent', body = null, claimed_until = null, claimed_by = null, error = null,
    position = :position
where outbox_id = :outbox_id

-- name: retry
update outbox
set state = 'pending', claimed_until = null, claimed_by = null, attempts = attempts + 1,
    due_at = :retry_at, error = :error, doubt = case when :in_doubt = 1 then 1 else doubt end
where outbox_id = :outbox_id

-- name: put_back
update outbox set state = 'pending', claimed_until = null, claimed_by = null
where outbox_id = :outbox_id

-- name: dead
-- Its body stays: it can be tried again.
update outbox
set state = 'dead', claimed_until = null, claimed_by = null, error = :error, dead_at = :now
where outbox_id = :outbox_id

-- name: drop_all_unsent
delete from outbox where respondent_id = :respondent_id and state in ('pending', 'claimed')

-- name: drop_unread
delete from outbox
where channel = :channel and state <> 'sent' and state in ('pending', 'claimed')
and due_at < :before

-- name: farewell_over
-- The last of them: who asks once more is answered there too.
delete from addresses where respondent_id = :respondent_id and leaving = 1
and not exists (
    select 1 from outbox
    where respondent_id = :respondent_id and state in ('pending', 'claimed')
)

-- name: release_claims
update outbox
set state = 'pending', claimed_until = null, claimed_by = null, attempts = attempts + 1, doubt = 1
where channel = :channel and state = 'claimed'

-- name: claims_held
select outbox_id from outbox
where channel = :channel and state = 'claimed' and claimed_by = :worker_id

-- name: put_off_doubtful
update outbox set due_at = :until
where channel = :channel and state <> 'sent' and state = 'pending' and doubt = 1
and due_at < :until

-- name: next_due
select due_at from outbox
where channel = :channel and lane = 0 and state = 'pending' and due_at > :after
order by due_at
limit 1
