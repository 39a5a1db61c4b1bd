-- Everyone's own time, and what is sent or not sent by it.

-- name: timing
select timezone, told_timezone, minute, quiet, days_off, paused_until
from timings where respondent_id = :respondent_id

-- name: set_timing
insert into timings (
    respondent_id, timezone, told_timezone, minute, quiet, days_off, paused_until
) values (
    :respondent_id, :timezone, :told_timezone, :minute, :quiet, :days_off, :paused_until
)
on conflict (respondent_id) do update set
    timezone = excluded.timezone, told_timezone = excluded.told_timezone,
    minute = excluded.minute, quiet = excluded.quiet, days_off = excluded.days_off,
    paused_until = excluded.paused_until

-- name: tell_timezone
insert into timings (respondent_id, told_timezone) values (:respondent_id, :timezone)
on conflict (respondent_id) do update set told_timezone = excluded.told_timezone
where timings.told_timezone is null or timings.told_timezone <> excluded.told_timezone

-- name: moments
select distinct coalesce(t.timezone, t.told_timezone) as zone, t.minute
from memberships m
left join timings t on t.respondent_id = m.respondent_id
where m.cohort = :cohort

-- name: erase_timing
delete from timings where respondent_id = :respondent_id

-- name: erase_unsent
delete from unsent where respondent_id = :respondent_id

-- name: unsent_of
select w.survey_id, w.revision, u.wave_id, u.number, u.reason, u.noted_at
from unsent u
join waves w on w.wave_id = u.wave_id
where u.respondent_id = :respondent_id
order by u.noted_at, u.wave_id, u.number

-- name: page_of_members
select max(p.respondent_id) as last from (
    select respondent_id from memberships
    where cohort = :cohort and respondent_id > :after
    order by respondent_id
    limit :limit
) p

-- name: candidates
-- :roles is |citizen|partner|, or empty for all.
select r.respondent_id, r.role, r.sector, r.language, a.channel, t.timezone, t.told_timezone,
    t.minute, t.quiet, t.days_off, t.paused_until,
    (
        -- Each looked up: "exists" has PostgreSQL read all consents there are for every page.
        select count(*) from consents c
        where c.respondent_id = r.respondent_id and c.survey_id = :survey_id
        and c.consent_revision = :consent_revision
    ) as agreed
from (
    -- The limit cuts nobody off: it tells PostgreSQL how few they are, so that it looks each of
    -- them up, whatever its statistics make of the range.
    select respondent_id from memberships
    where cohort = :cohort and respondent_id > :after and respondent_id <= :last
    order by respondent_id
    limit :few
) m
join respondents r on r.respondent_id = m.respondent_id
join addresses a on a.respondent_id = m.respondent_id
left join timings t on t.respondent_id = m.respondent_id
where a.reachable = 1 and r.opted_out_at is null
and (:roles = '' or :roles like '%|' || r.role || '|%')
and not exists (
    -- By person, of whom there are few: in the middle of an opening PostgreSQL's statistics
    -- know nothing of the wave yet, and it would go through all that was invited so far.
    select 1 from invitations i
    where i.respondent_id = m.respondent_id and i.wave_id || '' = :wave_id
)
order by m.respondent_id

-- name: earlier_invitations
select i.respondent_id, i.due_at, w.pulse, w.timing, w.opens_at, w.timezone
from (
    select respondent_id from memberships
    where cohort = :cohort and respondent_id > :after and respondent_id <= :last
    order by respondent_id
    limit :few
) m
join invitations i on i.respondent_id = m.respondent_id
join waves w on w.wave_id = i.wave_id
where i.due_at >= :since and i.wave_id <> :wave_id
order by i.respondent_id, i.due_at, i.invitation_id

-- name: earlier_of
select i.due_at, w.pulse, w.timing, w.opens_at, w.timezone
from invitations i
join waves w on w.wave_id = i.wave_id
where i.respondent_id = :respondent_id and i.due_at >= :since
and not exists (
    select 1 from sessions s
    join outbox o on o.session_id = s.session_id
    where s.respondent_id = :respondent_id and s.invitation_id = i.invitation_id
    and o.number = 0 and o.state = 'pending' and o.lane = 1 and o.doubt = 0
)
order by i.due_at, i.invitation_id

-- name: invite_at
insert into invitations (
    invitation_id, wave_id, respondent_id, disposition, invited_at, state, channel, due_at,
    next_reminder_at
) values (
    :invitation_id, :wave_id, :respondent_id, 'unknown', :at, :state, :channel, :due_at,
    :remind_at
) on conflict do nothing

-- name: pass_over
insert into invitations (
    invitation_id, wave_id, respondent_id, disposition, disposition_at, invited_at, state,
    channel
) values (
    :invitation_id, :wave_id, :respondent_id, :disposition, :at, :at, :state, :channel
) on conflict do nothing

-- name: take_up
-- An invitation that was never sent, by somebody who comes by themselves.
update invitations set next_reminder_at = :remind_at
where wave_id = :wave_id and respondent_id = :respondent_id and state in ('failed', 'rejected')
and not exists (
    select 1 from sessions s
    where s.respondent_id = invitations.respondent_id
    and s.invitation_id = invitations.invitation_id
)
returning invitation_id

-- name: add_first_state
insert into dispositions (invitation_id, seq, state, at, channel, reason)
values (:invitation_id, 1, :state, :at, :channel, :reason)

-- name: invited_between
select invitation_id from invitations where invitation_id >= :first and invitation_id <= :last

-- name: note_unsent
insert into unsent (wave_id, respondent_id, number, reason, noted_at)
values (:wave_id, :respondent_id, :number, :reason, :at)
on conflict (wave_id, respondent_id, number) do update set
    reason = excluded.reason, noted_at = excluded.noted_at

-- name: forget_unsent
delete from unsent
where respondent_id = :respondent_id
and reason in ('away', 'day_off', 'holiday', 'quiet')
and wave_id in (select w.wave_id from waves w where w.state in ('open', 'paused'))

-- name: passed_over_by
select i.invitation_id from invitations i
join unsent u on u.wave_id = i.wave_id and u.respondent_id = i.respondent_id and u.number = 0
join waves w on w.wave_id = i.wave_id
where i.respondent_id = :respondent_id and i.state = 'rejected'
and u.reason in ('away', 'day_off', 'holiday', 'quiet') and w.state in ('open', 'paused')
order by i.invitation_id

-- name: count_unsent
select reason, count(*) as n from unsent
where wave_id = :wave_id and number = 0
group by reason

-- name: reminders_due
-- They count from when the invitation arrived, which may be long after it was due.
select i.invitation_id, i.respondent_id, coalesce((
        select max(d.at) from dispositions d
        where d.invitation_id = i.invitation_id and d.state = 'contacted'
    ), i.due_at, i.invited_at) as base_at, i.reminded, i.next_reminder_at as look_at, s.session_id,
    exists (
        select 1 from outbox o
        where o.session_id = s.session_id and o.number = 0 and o.state in ('pending', 'claimed')
    ) as waiting
from invitations i
left join sessions s on s.respondent_id = i.respondent_id and s.invitation_id = i.invitation_id
where i.wave_id = :wave_id and i.next_reminder_at <= :now
order by i.next_reminder_at, i.invitation_id
limit :limit

-- name: set_reminder
update invitations
set next_reminder_at = :look_at, reminded = :reminded
where invitation_id = :invitation_id and reminded = :reminded_before
and next_reminder_at = :look_at_before

-- name: look_again
-- Who is done with is not looked at again: a reminder needs an open conversation.
update invitations set next_reminder_at = :at
where respondent_id = :respondent_id and disposition = 'unknown'
and wave_id in (select w.wave_id from waves w where w.state in ('open', 'paused'))

-- name: waiting_for
select o.outbox_id, o.respondent_id, o.wave_id, s.invitation_id, o.number, o.due_at,
    o.expires_at, exists (
        select 1 from outbox e
        where e.session_id = o.session_id and e.lasting = 0
        and (e.state in ('claimed', 'sent') or e.doubt = 1)
    ) as seen
from outbox o
left join sessions s on s.session_id = o.session_id
where o.respondent_id = :respondent_id and o.state = 'pending' and o.lane = 1 and o.doubt = 0
order by o.outbox_id

-- name: put_off
select o.outbox_id, o.respondent_id, o.wave_id, s.invitation_id, o.number, o.due_at,
    o.expires_at, exists (
        select 1 from outbox e
        where e.session_id = o.session_id and e.lasting = 0
        and (e.state in ('claimed', 'sent') or e.doubt = 1)
    ) as seen
from outbox o
left join sessions s on s.session_id = o.session_id
where o.quiet_at <= :now and o.state = 'pending'
and (o.expires_at is null or o.expires_at > :now)
order by o.quiet_at, o.outbox_id
limit :limit

-- name: move_message
update outbox set due_at = :due_at, quiet_at = :quiet_at, expires_at = :expires_at
where outbox_id = :outbox_id and state = 'pending'

-- name: move_invitation
update invitations set due_at = :due_at
where invitation_id = :invitation_id and due_at is not null

-- name: message_of
select o.outbox_id, o.respondent_id, o.wave_id, o.number, o.session_id, s.invitation_id,
    exists (
        select 1 from outbox e
        where e.session_id = o.session_id and e.lasting = 0
        and (e.state in ('claimed', 'sent') or e.doubt = 1)
    ) as seen
from outbox o
left join sessions s on s.session_id = o.session_id
where o.outbox_id = :outbox_id and o.state = 'pending'

-- name: drop_states
delete from dispositions where invitation_id = :invitation_id

-- name: drop_invitation
delete from invitations where invitation_id = :invitation_id

-- name: late_of_wave
select outbox_id, respondent_id, wave_id, number from outbox
where wave_id = :wave_id and state in ('pending', 'claimed')
and state = 'pending' and lane = 1 and doubt = 0 and number is not null
order by outbox_id
limit :limit

-- name: invitation_in
select invitation_id, state from invitations
where wave_id = :wave_id and respondent_id = :respondent_id

-- name: uninvite
-- It counts for nothing: it was never sent.
update invitations set due_at = null, next_reminder_at = null
where wave_id = :wave_id and respondent_id = :respondent_id

-- name: waits_until
select o.due_at, exists (
        select 1 from outbox e
        where e.session_id = o.session_id and e.lasting = 0
        and (e.state in ('claimed', 'sent') or e.doubt = 1)
    ) as seen
from outbox o
where o.session_id = :session_id and o.state = 'pending' and o.lasting = 0
order by o.outbox_id
limit 1
