-- What nobody needs any more, found page by page in the order of a key.

-- name: page_of_events
select max(p.event_key) as last, count(*) as n from (
    select event_key from inbound
    where event_key > :after
    order by event_key
    limit :limit
) p

-- name: forget_events
delete from inbound
where event_key > :after and event_key <= :last and received_on < :before

-- name: page_of_outbox
select max(p.outbox_id) as last, min(p.due_at) as oldest, count(*) as n from (
    select outbox_id, due_at from outbox
    where outbox_id > :after
    order by outbox_id
    limit :limit
) p

-- name: forget_sent
-- Later ones are looked for among the person's own: of session_id cut there are many. What may
-- have been sent counts as the newest that was seen: it goes once anything else was seen later.
delete from outbox
where outbox_id > :after and outbox_id <= :last and state = 'sent' and due_at < :before
and exists (
    select 1 from outbox n
    where n.respondent_id = outbox.respondent_id and n.state = 'sent'
    and n.outbox_id > outbox.outbox_id
    and n.position is not null and (n.lasting = 0 or n.session_id = 'cut')
    and (
        coalesce(n.session_id, '') = outbox.session_id
        or (outbox.doubt = 1 and outbox.position is null)
    )
)
and not exists (
    select 1 from sessions s
    left join waves w on w.wave_id = s.wave_id
    where s.session_id = outbox.session_id
    and (s.status not in ('complete', 'stopped', 'refused', 'closed') or w.state <> 'closed')
)
and not exists (
    select 1 from sessions u
    join outbox e on e.session_id = u.session_id
    where u.respondent_id = outbox.respondent_id
    and u.status not in ('complete', 'stopped', 'refused', 'closed')
    and e.outbox_id < outbox.outbox_id
)
