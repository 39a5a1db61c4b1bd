-- Fieldings, and how their invitations end.

-- name: open_wave
insert into waves (
    wave_id, pulse, cohort, survey_id, revision, roles, questions_per_person, timezone,
    quiet_hours, state, opens_at, closes_at, remind_at, reminded, seed,
    timing
) values (
    :wave_id, :pulse, :cohort, :survey_id, :revision, :roles, :questions_per_person, :timezone,
    :quiet_hours, :state, :opens_at, :closes_at, '[]', 0, :seed,
    :timing
) on conflict do nothing

-- name: wave
select wave_id, pulse, cohort, survey_id, revision, roles, questions_per_person, timezone,
    quiet_hours, state, opens_at, closes_at, remind_at, seed, timing
from waves where wave_id = :wave_id

-- name: waves
-- Of one state, or of any where :state is empty.
select wave_id, pulse, cohort, survey_id, revision, roles, questions_per_person, timezone,
    quiet_hours, state, opens_at, closes_at, remind_at, seed, timing
from waves where :state = '' or state = :state
order by opens_at desc, wave_id

-- name: open_waves_for
select w.wave_id, w.pulse, w.cohort, w.survey_id, w.revision, w.roles,
    w.questions_per_person, w.timezone, w.quiet_hours, w.state, w.opens_at, w.closes_at,
    w.remind_at, w.seed, w.timing
from waves w
join memberships m on m.cohort = w.cohort
where m.respondent_id = :respondent_id and w.state = 'open'
order by w.opens_at desc, w.wave_id

-- name: wave_stays.postgres
-- Whoever closes it waits until those have committed who are just beginning in it.
select state from waves where wave_id = :wave_id for share

-- name: set_wave
update waves
set state = coalesce(:state, state),
    closes_at = coalesce(:closes_at, closes_at)
where wave_id = :wave_id

-- name: note_reminder
update invitations set reminders = reminders + 1 where invitation_id = :invitation_id

-- name: is_anonymous
select s.anonymous from waves w
join surveys s on s.survey_id = w.survey_id and s.revision = w.revision
where w.wave_id = :wave_id

-- name: settle_loose
-- Agreed, and no conversation left: their response was cut loose.
update invitations set disposition = 'complete', disposition_at = :at
where wave_id = :wave_id and disposition = 'unknown' and consented = 1
and not exists (
    select 1 from sessions s where s.invitation_id = invitations.invitation_id
)

-- name: settle_rest
update invitations
set disposition = case when consented = 1 then 'break_off' else 'non_contact' end,
    disposition_at = :at
where wave_id = :wave_id and disposition = 'unknown'

-- name: drop_unsubmitted_responses
delete from responses where wave_id = :wave_id and respondent_id is not null

-- name: loose_responses
-- By their random ids, which tell nothing.
select response_id, language, channel, role, sector from responses
where wave_id = :wave_id and respondent_id is null
order by response_id

-- name: withhold
update responses
set language = :language, channel = :channel, role = :role, sector = :sector
where response_id = :response_id

-- name: wording
select a.question_id, r.survey_id, r.revision
from answers a
join responses r on r.response_id = a.response_id
where a.response_id = :response_id
order by a.place

-- name: word_anew
update answers set question = :question
where response_id = :response_id and question_id = :question_id

-- name: sessions_of_wave
select session_id from sessions where wave_id = :wave_id order by session_id

-- name: drop_sessions_of_wave
delete from sessions where wave_id = :wave_id

-- name: loosen_outbox
-- Last words to people whose conversation is dropped still go out.
update outbox set session_id = null, wave_id = null, lasting = 1
where session_id = :session_id and state in ('pending', 'claimed')
and turn >= (select s.turn from sessions s where s.session_id = :session_id)

-- name: drop_broadcasts_of_wave
-- One that is in doubt stays until it would be sent again: the person may have seen it.
delete from outbox
where wave_id = :wave_id and state in ('pending', 'claimed')
and state = 'pending' and lane = 1 and doubt = 0
