-- The programs that share a database: who is up, who leads, and by which clock they go.

-- name: clock.sqlite
-- All of them are on one machine.
select cast(:now as text) as now

-- name: clock.postgres
select to_char(
    clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'
) as now, cast(:now as text) as theirs

-- name: beat
insert into workers (worker_id, roles, machine, process, seen_at)
values (:worker_id, :roles, :machine, :process, :now)
on conflict (worker_id) do update set roles = excluded.roles, seen_at = excluded.seen_at

-- name: workers
select worker_id, roles, machine, process, seen_at from workers order by worker_id

-- name: drop_worker
-- Not one that has been seen again meanwhile.
delete from workers where worker_id = :worker_id and seen_at <= :seen_at

-- name: claims_of
select channel, count(*) as n from outbox
where state = 'claimed' and claimed_by = :worker_id
group by channel
order by channel

-- name: release_claims_of
update outbox
set state = 'pending', claimed_until = null, claimed_by = null, attempts = attempts + 1, doubt = 1
where state = 'claimed' and claimed_by = :worker_id

-- name: leave_leases
delete from leases where worker_id = :worker_id

-- name: leave_shares
update shares set left_at = :now where worker_id = :worker_id and left_at is null

-- name: lead
insert into leases (name, worker_id, until) values (:name, :worker_id, :until)
on conflict (name) do update set worker_id = excluded.worker_id, until = excluded.until
where leases.worker_id = excluded.worker_id or leases.until <= :now

-- name: add_pace
insert into paces (pace_key, allowed, changed_at) values (:pace_key, :allowed, :now)
on conflict do nothing

-- name: pace.sqlite
select allowed, changed_at, halted_until from paces where pace_key = :pace_key

-- name: pace.postgres
-- Until the end of the transaction nobody else shares it out.
select allowed, changed_at, halted_until from paces where pace_key = :pace_key for update

-- name: set_allowed
update paces set allowed = :allowed, changed_at = :now where pace_key = :pace_key

-- name: set_halt
update paces set halted_until = :until
where pace_key = :pace_key and (halted_until is null or halted_until < :until)

-- name: shares
select worker_id, share, left_at from shares where pace_key = :pace_key order by worker_id

-- name: set_share
insert into shares (pace_key, worker_id, share) values (:pace_key, :worker_id, :share)
on conflict (pace_key, worker_id) do update set share = excluded.share, left_at = null

-- name: forget_share
delete from shares where pace_key = :pace_key and worker_id = :worker_id
