-- Several workers on one database, what they share, and messages that were given up.

-- A claim names its worker, so that it can be opened when that one is gone.
alter table outbox add column claimed_by text;

-- When a message was given up. Its body is kept for as long as it can be tried again.
alter table outbox add column dead_at text;

-- Whatever goes wrong, nobody has two messages on their way.
create unique index outbox_under_way on outbox (respondent_id) where state = 'claimed';

-- What waits is found without looking at what was sent, however much that is. Broadcasts are
-- claimed wave by wave: one that is paused costs nothing to pass over.
drop index outbox_work;
create index outbox_replies on outbox (channel, due_at, outbox_id)
    where lane = 0 and state = 'pending';
create index outbox_broadcasts on outbox (channel, coalesce(wave_id, ''), due_at, outbox_id)
    where lane = 1 and state = 'pending';
create index outbox_claims on outbox (channel) where state = 'claimed';
create index outbox_dead on outbox (dead_at) where state = 'dead';
create index outbox_unsent on outbox (channel, lane, state, due_at) where state <> 'sent';

-- The programs that are up: when each was last seen, and which process of which machine it is.
create table workers (
    worker_id text primary key,
    roles text not null,
    machine text not null,
    process text not null,
    seen_at text not null
) {keyed};

-- What only one worker at a time does, and until when it may go on without asking again.
create table leases (
    name text primary key,
    worker_id text not null,
    until text not null
) {keyed};

-- How many messages a second a bot may send, over all workers; a keyed hash stands for the bot.
create table paces (
    pace_key text primary key,
    allowed integer not null,
    changed_at text not null,
    halted_until text
) {keyed};

-- Which worker may send how many of them. left_at: when it ended; what it sent in its last
-- moment still counts then.
create table shares (
    pace_key text not null,
    worker_id text not null,
    share integer not null,
    left_at text,
    primary key (pace_key, worker_id)
) {keyed};
