-- How invitations stand, and how they came to it.

-- name: invitation_state
select i.state, i.channel, coalesce(s.anonymous, 0) as anonymous
from invitations i
left join waves w on w.wave_id = i.wave_id
left join surveys s on s.survey_id = w.survey_id and s.revision = w.revision
where i.invitation_id = :invitation_id

-- name: move_state
update invitations
set state = :state, disposition = :disposition, disposition_at = :settled_at
where invitation_id = :invitation_id and state = :before

-- name: add_state
insert into dispositions (invitation_id, seq, state, at, channel, reason)
select i.invitation_id, coalesce((
    select max(d.seq) from dispositions d where d.invitation_id = i.invitation_id
), 0) + 1, :state, :at, :channel, :reason
from invitations i where i.invitation_id = :invitation_id

-- name: set_disposition
update invitations set disposition = :disposition, disposition_at = :at
where invitation_id = :invitation_id

-- name: unsent_invitations
-- Of waves of one cohort, or of any where :cohort is null.
select i.invitation_id from invitations i
join waves w on w.wave_id = i.wave_id
where i.respondent_id = :respondent_id and i.state in ('registered', 'queued')
and w.state <> 'closed' and (cast(:cohort as text) is null or w.cohort = :cohort)
order by i.invitation_id

-- name: states_of
select state, at, channel, reason from dispositions
where invitation_id = :invitation_id
order by seq

-- name: settle_history
-- At closing, what each invitation has come to and its history does not say yet.
insert into dispositions (invitation_id, seq, state, at, channel, reason)
select n.invitation_id, n.seq, n.state, :at, n.channel,
    case when n.state = 'failed' then :reason end
from (
    select i.invitation_id, i.state as before, i.channel,
        coalesce((
            select max(d.seq) from dispositions d where d.invitation_id = i.invitation_id
        ), 0) + 1 as seq,
        case i.disposition
            when 'complete' then 'completed'
            when 'partial' then 'partial'
            when 'break_off' then 'breakoff'
            when 'refusal' then 'refused'
            when 'screened_out' then
                case when i.state = 'rejected' then 'rejected' else 'ineligible' end
            when 'non_contact' then
                case when i.state in ('registered', 'queued', 'failed') then 'failed'
                    else 'unresponsive' end
            else i.state
        end as state
    from invitations i
    where i.wave_id = :wave_id
) n
where n.state <> n.before

-- name: settle_states
update invitations
set state = (
    select d.state from dispositions d
    where d.invitation_id = invitations.invitation_id
    order by d.seq desc
    limit 1
)
where wave_id = :wave_id and state <> (
    select d.state from dispositions d
    where d.invitation_id = invitations.invitation_id
    order by d.seq desc
    limit 1
)

-- name: erase_dispositions
delete from dispositions where invitation_id in (
    select i.invitation_id from invitations i where i.respondent_id = :respondent_id
)
