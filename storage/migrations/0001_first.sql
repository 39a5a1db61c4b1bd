-- The first schema. One statement at a time, on SQLite and on PostgreSQL alike.
-- Instants are UTC text of fixed width, 2026-12-01T10:00:00.000000+00:00; days 2026-12-01.
--
-- {keyed} makes a SQLite table lie in the order of its key and of nothing else. Without it
-- the hidden row number would say who came before whom, and join an anonymous response to
-- the person whose other rows were written in the same breath. {serial} is a number that
-- grows and is never given twice.

-- What the installation knows of itself: the salt of event keys.
create table meta (
    key text primary key,
    value text not null
) {keyed};

-- People, by pseudonym.
create table respondents (
    respondent_id text primary key,
    role text not null,
    sector text,
    language text,
    joined_on text not null,
    opted_out_at text
) {keyed};

-- The only place where a platform's id stands.
create table addresses (
    channel text not null,
    platform_id text not null,
    chat text not null,
    respondent_id text not null unique,
    reachable integer not null default 1,
    leaving integer not null default 0,
    primary key (channel, platform_id)
) {keyed};

create table memberships (
    respondent_id text not null,
    cohort text not null,
    since text not null,
    primary key (respondent_id, cohort)
) {keyed};

create index memberships_cohort on memberships (cohort, respondent_id);

create table consents (
    respondent_id text not null,
    survey_id text not null,
    consent_revision text not null,
    consented_at text not null,
    primary key (respondent_id, survey_id, consent_revision)
) {keyed};

-- Who asked to be forgotten: a keyed hash of the address, so that no list enrols them again.
create table suppressed (
    address_key text primary key,
    since text not null
) {keyed};

-- That something was erased, never what.
create table erasures (
    erasure_id text primary key,
    erased_at text not null,
    actor text not null,
    n_responses integer not null
) {keyed};

-- Every revision that was ever answered.
create table surveys (
    survey_id text not null,
    revision text not null,
    anonymous integer not null,
    document text not null,
    kept_at text not null,
    primary key (survey_id, revision)
) {keyed};

-- Platform events that were taken: keyed hashes, in no order.
create table inbound (
    event_key text primary key,
    received_on text not null
) {keyed};

-- How a wave is fielded stands here, so that a pulse that is renamed or dropped changes no
-- wave under way. Lists are JSON; quiet_hours are minutes after midnight.
create table waves (
    wave_id text primary key,
    pulse text,
    cohort text not null,
    survey_id text not null,
    revision text not null,
    roles text not null,
    questions_per_person integer,
    timezone text not null,
    quiet_hours text,
    state text not null,
    opens_at text not null,
    closes_at text,
    remind_at text not null,
    reminded integer not null default 0
) {keyed};

create index waves_state on waves (state, opens_at);

create table invitations (
    invitation_id text primary key,
    wave_id text not null,
    respondent_id text not null,
    disposition text not null,
    disposition_at text,
    consented integer not null default 0,
    invited_at text not null,
    reminders integer not null default 0,
    unique (wave_id, respondent_id)
) {keyed};

create index invitations_respondent on invitations (respondent_id, invited_at);

create table sessions (
    session_id text primary key,
    respondent_id text not null,
    invitation_id text,
    wave_id text,
    cohort text,
    survey_id text not null,
    revision text not null,
    status text not null,
    turn integer not null,
    body text not null,
    updated_at text not null
) {keyed};

create index sessions_respondent on sessions (respondent_id);
create index sessions_wave on sessions (wave_id, status);

-- One row a response, from consent on: without it no answer can be kept. Once it is cut
-- loose its id is a fresh one, respondent_id is null and every time in it and below is a day.
create table responses (
    response_id text primary key,
    respondent_id text,
    wave_id text,
    survey_id text not null,
    revision text not null,
    cohort text,
    channel text not null,
    role text not null,
    sector text,
    language text not null,
    started_at text not null,
    ended_at text,
    disposition text not null
) {keyed};

create index responses_respondent on responses (respondent_id);

-- One row a question that was offered.
create table answers (
    response_id text not null references responses (response_id) on delete cascade,
    question_id text not null,
    place integer not null,
    kind text not null,
    question text not null,
    value text,
    text text not null,
    missing text,
    asked_at text not null,
    answered_at text,
    n_edits integer not null default 0,
    tagged_by text,
    tag_error text,
    primary key (response_id, question_id)
) {keyed};

-- What a tagger may have to read: new words, and words that an older model broke on.
create index answers_untagged on answers (response_id, question_id)
    where kind = 'text' and text <> '' and missing is null
    and (tagged_by is null or tag_error is not null);

create table codings (
    coding_id text primary key,
    response_id text not null,
    question_id text not null,
    enabler text not null,
    stance text,
    span_text text not null,
    span_start integer not null,
    span_end integer not null,
    confidence double precision not null,
    coder text not null,
    coded_at text not null,
    status text not null,
    foreign key (response_id, question_id)
        references answers (response_id, question_id) on delete cascade
) {keyed};

create unique index codings_once
    on codings (response_id, question_id, coder, enabler, coalesce(stance, ''));

-- What leaves the house. state is pending, claimed, sent or dead; what is dropped goes away.
-- body is emptied once it was sent or given up. doubt says that an attempt has no known end.
-- Only broadcasts (lane 1) of a paused wave wait, so wave_id stands at those and replies.
create table outbox (
    outbox_id {serial},
    respondent_id text not null,
    channel text not null,
    session_id text,
    wave_id text,
    turn integer not null,
    lane integer not null,
    state text not null,
    body text,
    in_place integer not null default 0,
    lasting integer not null default 0,
    farewell integer not null default 0,
    due_at text not null,
    claimed_until text,
    attempts integer not null default 0,
    doubt integer not null default 0,
    position text,
    error text
);

create index outbox_work on outbox (channel, lane, state, due_at, outbox_id);
create index outbox_respondent on outbox (respondent_id, state, outbox_id);
create index outbox_session on outbox (session_id, outbox_id);
create index outbox_waiting on outbox (wave_id)
    where wave_id is not null and state in ('pending', 'claimed');
