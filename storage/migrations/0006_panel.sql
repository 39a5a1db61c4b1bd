-- Who is asked what and how invitations go: draws that are balanced, and the history of states.
-- Forward only, on SQLite and on PostgreSQL alike.

-- What decides between questions that are covered alike. Null where each person has a chance of
-- their own: in an anonymous survey, and where everybody is asked everything.
alter table waves add column seed text;

-- How an invitation stands, in fine states, and the channel on which the person was invited.
alter table invitations add column state text not null default 'registered';

alter table invitations add column channel text;

update invitations set
    channel = (select a.channel from addresses a where a.respondent_id = invitations.respondent_id),
    state = case disposition
        when 'complete' then 'completed'
        when 'partial' then 'partial'
        when 'break_off' then 'breakoff'
        when 'refusal' then 'refused'
        when 'non_contact' then 'unresponsive'
        when 'screened_out' then 'ineligible'
        else case when exists (
            select 1 from sessions s
            join outbox o on o.session_id = s.session_id
            where s.invitation_id = invitations.invitation_id and o.state = 'sent'
        ) then 'contacted' else 'queued' end
    end;

create index invitations_state
    on invitations (wave_id, state, channel, disposition, consented);

-- Every change of state with its time. That an invitation was registered says its own row.
create table dispositions (
    invitation_id text not null,
    seq integer not null,
    state text not null,
    at text not null,
    channel text,
    reason text,
    primary key (invitation_id, seq)
) {keyed};

-- How often each question of the pool was drawn in a wave.
create table draws (
    wave_id text not null,
    question_id text not null,
    n integer not null,
    primary key (wave_id, question_id)
) {keyed};

-- What a person was given of a survey's pool, the newest last, so that next time they are given
-- something else. Of a survey that is not anonymous only.
create table drawn (
    respondent_id text not null,
    survey_id text not null,
    questions text not null,
    primary key (respondent_id, survey_id)
) {keyed};

-- Questions of the pool that this response was to answer; null where it was all of them.
alter table responses add column drawn text;

-- What is still to be sent of a wave, by channel and time.
drop index outbox_waiting;

create index outbox_waiting on outbox (wave_id, lane, channel, due_at)
    where wave_id is not null and state in ('pending', 'claimed');
