-- Conversations, and what a turn of one leaves behind.

-- name: take_event
insert into inbound (event_key, received_on) values (:event_key, :on) on conflict do nothing

-- name: session
select session_id, respondent_id, invitation_id, wave_id, cohort, body, updated_at
from sessions where session_id = :session_id

-- name: latest_session
select session_id, respondent_id, invitation_id, wave_id, cohort, body, updated_at
from sessions where respondent_id = :respondent_id
order by updated_at desc, session_id desc
limit 1

-- name: recent_sessions
select session_id, respondent_id, invitation_id, wave_id, cohort, body, updated_at
from sessions where respondent_id = :respondent_id
order by updated_at desc, session_id desc
limit :limit

-- name: session_in_wave
select session_id, respondent_id, invitation_id, wave_id, cohort, body, updated_at
from sessions where respondent_id = :respondent_id and wave_id = :wave_id
order by updated_at desc, session_id desc
limit 1

-- name: unfinished
select session_id from sessions
where wave_id = :wave_id and session_id > :after
and status not in ('complete', 'stopped', 'refused', 'closed')
order by session_id
limit :limit

-- name: took_part
-- Before closing the outcome of whoever handed in anonymously is unknown, after it complete.
select 1 as yes from invitations i
where i.respondent_id = :respondent_id and i.wave_id = :wave_id and i.consented = 1
and i.disposition in ('unknown', 'complete')
and not exists (select 1 from sessions s where s.invitation_id = i.invitation_id)

-- name: seen_turns
-- What stood in the chat or may have, newest first; the caller compares positions.
select outbox_id, turn, position, doubt, state from outbox
where session_id = :session_id and (state in ('claimed', 'sent') or doubt = 1)
order by outbox_id desc

-- name: seen_prompts
-- What asked a person for something and stood in their chat or may have; the caller compares
-- positions. Far fewer than these can be the newest. Reviews and member checks are no conversations.
select outbox_id, session_id, position, doubt, state from outbox
where respondent_id = :respondent_id and session_id is not null
and session_id not like 'review:%' and session_id not like 'check:%'
and (lasting = 0 or session_id = 'cut') and (state in ('claimed', 'sent') or doubt = 1)
order by outbox_id desc
limit 30

-- name: waiting
select 1 as yes from outbox
where session_id = :session_id and state in ('pending', 'claimed') and lasting = 0
limit 1

-- name: stale_anonymous
-- No closing of a wave will ever drop these.
select s.session_id, s.respondent_id from sessions s
join surveys v on v.survey_id = s.survey_id and v.revision = s.revision
where s.wave_id is null and v.anonymous = 1 and s.updated_at < :before
and s.status not in ('complete', 'stopped', 'refused', 'closed')
order by s.session_id
limit :limit

-- name: drop_session
delete from sessions where session_id = :session_id

-- name: invite
-- By themselves: it is due at no instant, save where it counts as one of ours.
insert into invitations (
    invitation_id, wave_id, respondent_id, disposition, invited_at, state, channel, due_at,
    next_reminder_at
) values (
    :invitation_id, :wave_id, :respondent_id, 'unknown', :at, :state, :channel, :counted_at,
    :remind_at
)
on conflict do nothing

-- name: add_session
insert into sessions (
    session_id, respondent_id, invitation_id, wave_id, cohort, survey_id, revision, status,
    turn, body, updated_at
) values (
    :session_id, :respondent_id, :invitation_id, :wave_id, :cohort, :survey_id, :revision,
    :status, :turn, :body, :at
)

-- name: move_session
update sessions set status = :status, turn = :turn, body = :body, updated_at = :at
where session_id = :session_id and turn = :turn_before

-- name: end_session
delete from sessions where session_id = :session_id and turn = :turn_before

-- name: drop_overtaken
-- One that is in doubt stays as something that the person may have seen.
delete from outbox
where session_id = :session_id and state = 'pending' and lasting = 0 and doubt = 0
and turn < :turn

-- name: give_up_overtaken
update outbox set state = 'sent', body = null
where session_id = :session_id and state = 'pending' and lasting = 0 and doubt = 1
and turn < :turn

-- name: begin_response
insert into responses (
    response_id, respondent_id, wave_id, survey_id, revision, cohort, channel, role, sector,
    language, started_at, disposition, drawn
) values (
    :response_id, :respondent_id, :wave_id, :survey_id, :revision, :cohort, :channel, :role,
    :sector, :language, :at, 'unknown', :drawn
) on conflict do nothing

-- name: consented
-- Who comes back after saying no has no outcome any more.
update invitations set consented = 1, disposition = 'unknown', disposition_at = null
where invitation_id = :invitation_id

-- name: offer
insert into answers (response_id, question_id, place, kind, question, text, missing, asked_at)
values (:response_id, :question_id, :place, :kind, :question, '', 'not_answered', :at)
on conflict do nothing

-- name: retract_codings
-- Who changes their words takes back what was read out of the old ones.
delete from codings
where response_id = :response_id and question_id = :question_id
and exists (
    select 1 from answers a
    where a.response_id = :response_id and a.question_id = :question_id and a.text <> :text
)

-- name: answer
insert into answers (
    response_id, question_id, place, kind, question, value, text, missing, asked_at,
    answered_at, n_edits, unread
) values (
    :response_id, :question_id, :place, :kind, :question, :value, :text, :missing, :at, :at,
    :edited, :readable
)
on conflict (response_id, question_id) do update set
    question = excluded.question, value = excluded.value, text = excluded.text,
    missing = excluded.missing, answered_at = excluded.answered_at,
    n_edits = answers.n_edits + excluded.n_edits,
    tagged_by = case when answers.text = excluded.text then answers.tagged_by end,
    tag_error = case when answers.text = excluded.text then answers.tag_error end,
    unread = case
        when excluded.unread = 0 then 0
        when answers.text = excluded.text and answers.tagged_by is not null then answers.unread
        else 1
    end

-- name: set_response_disposition
update responses set disposition = :disposition where response_id = :response_id

-- name: end_response
update responses set ended_at = coalesce(ended_at, :at) where response_id = :response_id

-- name: set_response_sector
update responses set sector = :sector, role = coalesce(cast(:role as text), role)
where response_id = :response_id

-- name: set_response_language
update responses set language = :language where response_id = :response_id

-- name: cut_response
-- Everything a response is, under another id, with days for instants and no person or draw.
insert into responses (
    response_id, respondent_id, wave_id, survey_id, revision, cohort, channel, role, sector,
    language, started_at, ended_at, disposition, unstirred
)
select :loose_id, null, wave_id, survey_id, revision, cohort, channel, role, sector, language,
    substr(started_at, 1, 10), substr(:at, 1, 10), disposition, 1
from responses where response_id = :response_id

-- name: cut_answers
insert into answers (
    response_id, question_id, place, kind, question, value, text, missing, asked_at,
    answered_at, n_edits, unread
)
select :loose_id, question_id, place, kind, question, value, text, missing,
    substr(asked_at, 1, 10), substr(answered_at, 1, 10), n_edits,
    case when kind = 'text' and text <> '' and missing is null then 1 else 0 end
from answers where response_id = :response_id

-- name: drop_response
delete from responses where response_id = :response_id

-- name: cut_invitation
-- Its outcome is written when the wave closes, with everybody else's.
update invitations set disposition = 'unknown', disposition_at = null
where invitation_id = :invitation_id

-- name: cut_outbox
-- One that is on its way just now keeps its place in the order, and nothing else.
update outbox set session_id = null, wave_id = null, turn = 0, body = null, doubt = 0
where session_id = :session_id and state = 'claimed'

-- name: drop_letters
-- What we say of our own accord (lane 1) holds nobody's answers.
delete from outbox
where respondent_id = :respondent_id and session_id is null and lane = 0
and state in ('pending', 'dead')

-- name: empty_letters
-- One that is on its way just now keeps its place in the order.
update outbox set body = null
where respondent_id = :respondent_id and session_id is null and state = 'claimed' and lane = 0

-- name: drop_outbox_of_session
delete from outbox where session_id = :session_id
