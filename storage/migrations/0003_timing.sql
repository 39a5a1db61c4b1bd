-- Everyone's own time. What a person said of it stands apart from what their platform told;
-- a column that is null says that the cohort's holds. Days off are weekdays, Monday 0, as
-- JSON; quiet hours are minutes after midnight; paused_until is a local day, the last there
-- is where no end was named.
create table timings (
    respondent_id text primary key,
    timezone text,
    told_timezone text,
    minute integer,
    quiet text,
    days_off text,
    paused_until text
) {keyed};

-- What a wave would have sent somebody and did not, and why. Number 0 is the invitation, the
-- others are reminders.
create table unsent (
    wave_id text not null,
    respondent_id text not null,
    number integer not null,
    reason text not null,
    noted_at text not null,
    primary key (wave_id, respondent_id, number)
) {keyed};

create index unsent_respondent on unsent (respondent_id);

-- How a wave keeps to everyone's time, as JSON; null in waves of before.
alter table waves add column timing text;

-- due_at is when somebody is written to; null where they came by themselves. Reminders count
-- from it: the number of the last one, and when to look at the next.
alter table invitations add column due_at text;
alter table invitations add column reminded integer not null default 0;
alter table invitations add column next_reminder_at text;

update invitations set due_at = invited_at;

update invitations set reminded = reminders, next_reminder_at = invited_at
where disposition = 'unknown'
and wave_id in (select w.wave_id from waves w where w.state <> 'closed');

create index invitations_due on invitations (respondent_id, due_at);
create index invitations_reminding on invitations (wave_id, next_reminder_at)
    where next_reminder_at is not null;

-- A broadcast is sent from due_at until quiet_at, then it is planned anew; from expires_at on
-- it is dropped. number is that of unsent.
alter table outbox add column quiet_at text;
alter table outbox add column expires_at text;
alter table outbox add column number integer;

create index outbox_quiet on outbox (quiet_at)
    where quiet_at is not null and state = 'pending';
