-- Who the people are, where they are reached, and how they are forgotten.

-- name: respondent_at
-- An address that only waits for its farewell belongs to nobody. It is one; PostgreSQL, which
-- keeps no statistics of addresses, expects many without the limit, and reads all respondents.
select r.respondent_id, r.role, r.sector, r.language, r.opted_out_at, a.channel, a.reachable
from (
    select respondent_id, channel, reachable from addresses
    where channel = :channel and platform_id = :platform_id and leaving = 0
    limit 1
) a
join respondents r on r.respondent_id = a.respondent_id

-- name: known_as
select respondent_id from addresses
where channel = :channel and leaving = 0 and platform_id = :account

-- name: known_within
-- In Slack a person's id follows that of their workspace.
select respondent_id from addresses
where channel = :channel and leaving = 0 and platform_id like '%:' || :account
order by respondent_id

-- name: respondent
select r.respondent_id, r.role, r.sector, r.language, r.opted_out_at, a.channel, a.reachable
from respondents r
join addresses a on a.respondent_id = r.respondent_id
where r.respondent_id = :respondent_id

-- name: cohorts_of
select cohort from memberships where respondent_id = :respondent_id

-- name: add_respondent
insert into respondents (respondent_id, role, language, joined_on)
values (:respondent_id, :role, :language, :joined_on)

-- name: address_at
select respondent_id, leaving from addresses
where channel = :channel and platform_id = :platform_id

-- name: address_of
select channel, platform_id, chat from addresses where respondent_id = :respondent_id

-- name: addresses_of.postgres
select channel, platform_id from addresses
where respondent_id = any(cast(:ids as text[]))

-- name: addresses_of_sessions.postgres
select a.channel, a.platform_id from sessions s
join addresses a on a.respondent_id = s.respondent_id
where s.session_id = any(cast(:ids as text[]))

-- name: add_address
insert into addresses (channel, platform_id, chat, respondent_id, leaving)
values (:channel, :platform_id, :chat, :respondent_id, :leaving)

-- name: set_chat
update addresses set chat = :chat where respondent_id = :respondent_id and chat <> :chat

-- name: come_back
-- Somebody who is being said farewell to writes again.
update addresses set respondent_id = :respondent_id, chat = :chat, leaving = 0, reachable = 1
where respondent_id = :leaving_id

-- name: keep_farewell
update outbox set respondent_id = :respondent_id, farewell = 0 where respondent_id = :leaving_id

-- name: set_reachable
update addresses set reachable = :reachable where respondent_id = :respondent_id

-- name: drop_unsent
delete from outbox where respondent_id = :respondent_id and state = 'pending'

-- name: drop_broadcasts
delete from outbox
where respondent_id = :respondent_id and state in ('pending', 'dead') and lane = 1

-- name: opt_out
update respondents set opted_out_at = :at where respondent_id = :respondent_id

-- name: opt_in
update respondents set opted_out_at = null where respondent_id = :respondent_id

-- name: set_language
update respondents set language = :language where respondent_id = :respondent_id

-- name: set_sector
update respondents set sector = :sector, role = coalesce(cast(:role as text), role)
where respondent_id = :respondent_id

-- name: has_agreed
select 1 as yes from consents where respondent_id = :respondent_id limit 1

-- name: join_cohort
insert into memberships (respondent_id, cohort, since)
values (:respondent_id, :cohort, :since)
on conflict do nothing

-- name: leave_cohort
delete from memberships where respondent_id = :respondent_id and cohort = :cohort

-- name: drop_broadcasts_of_cohort
delete from outbox
where respondent_id = :respondent_id and state in ('pending', 'dead') and lane = 1 and doubt = 0
and wave_id in (select wave_id from waves where cohort = :cohort)

-- name: members
-- :roles is |citizen|partner|, or empty for all.
select r.respondent_id, r.role, r.sector, r.language, r.opted_out_at, a.channel, a.reachable
from memberships m
join respondents r on r.respondent_id = m.respondent_id
join addresses a on a.respondent_id = m.respondent_id
where m.cohort = :cohort and m.respondent_id > :after
and a.reachable = 1 and r.opted_out_at is null
and (:roles = '' or :roles like '%|' || r.role || '|%')
order by m.respondent_id
limit :limit

-- name: members_on
select a.platform_id, a.respondent_id
from memberships m
join addresses a on a.respondent_id = m.respondent_id
where m.cohort = :cohort and a.channel = :channel
order by a.respondent_id

-- name: uninvited
select r.respondent_id, r.role, r.sector, r.language, r.opted_out_at, a.channel, a.reachable
from waves w
join memberships m on m.cohort = w.cohort
join respondents r on r.respondent_id = m.respondent_id
join addresses a on a.respondent_id = m.respondent_id
where w.wave_id = :wave_id
and a.reachable = 1 and r.opted_out_at is null
and (:roles = '' or :roles like '%|' || r.role || '|%')
and not exists (
    select 1 from invitations i
    where i.wave_id = w.wave_id and i.respondent_id = m.respondent_id
)
order by m.respondent_id
limit :limit

-- name: has_consented
select 1 as yes from consents
where respondent_id = :respondent_id and survey_id = :survey_id
and consent_revision = :consent_revision

-- name: consent
insert into consents (respondent_id, survey_id, consent_revision, consented_at)
values (:respondent_id, :survey_id, :consent_revision, :at)
on conflict do nothing

-- name: respondent_held
select joined_on, opted_out_at, unchecked from respondents where respondent_id = :respondent_id

-- name: memberships_of
select cohort, since from memberships where respondent_id = :respondent_id order by cohort

-- name: consents_of
select c.survey_id, c.consented_at, (
    select s.revision from surveys s where s.survey_id = c.survey_id
    order by s.kept_at desc, s.revision
    limit 1
) as revision
from consents c
where c.respondent_id = :respondent_id
order by c.consented_at, c.survey_id

-- name: invitations_of
select i.invitation_id, w.survey_id, w.revision, i.wave_id, i.invited_at, i.reminders, i.disposition,
    i.disposition_at
from invitations i
join waves w on w.wave_id = i.wave_id
where i.respondent_id = :respondent_id
order by i.invited_at, i.wave_id

-- name: sessions_of
select session_id, respondent_id, invitation_id, wave_id, cohort, body, updated_at
from sessions where respondent_id = :respondent_id
order by updated_at desc, session_id desc

-- name: responses_of
select r.response_id, r.survey_id, r.revision, r.wave_id, r.started_at, r.disposition,
    m.state as check_state, coalesce(m.done_at, m.asked_at) as check_at
from responses r
left join member_checks m on m.response_id = r.response_id
where r.respondent_id = :respondent_id
order by r.started_at desc, r.response_id

-- name: answers_of
select question_id, question, value, text, missing, asked_at, answered_at, n_edits
from answers where response_id = :response_id
order by place, question_id

-- name: is_suppressed
select 1 as yes from suppressed where address_key = :address_key

-- name: suppress
insert into suppressed (address_key, since) values (:address_key, :since) on conflict do nothing

-- name: unsuppress
delete from suppressed where address_key = :address_key

-- name: note_erasure
insert into erasures (erasure_id, erased_at, actor, n_responses)
values (:erasure_id, :at, :actor, :n_responses)
on conflict do nothing

-- name: addresses_ending
-- Whoever is known at an address that ends like this, in small letters or capitals.
select respondent_id, platform_id from addresses
where channel = :channel and leaving = 0 and platform_id like '%' || :ending
order by respondent_id

-- name: erase_responses
delete from responses where respondent_id = :respondent_id

-- name: erase_sessions
delete from sessions where respondent_id = :respondent_id

-- name: erase_invitations
delete from invitations where respondent_id = :respondent_id

-- name: erase_consents
delete from consents where respondent_id = :respondent_id

-- name: erase_drawn
delete from drawn where respondent_id = :respondent_id

-- name: erase_memberships
delete from memberships where respondent_id = :respondent_id

-- name: erase_outbox
delete from outbox where respondent_id = :respondent_id

-- name: erase_address
delete from addresses where respondent_id = :respondent_id

-- name: erase_respondent
delete from respondents where respondent_id = :respondent_id

-- name: meta
select value from meta where key = :key

-- name: add_meta
-- The first to write it wins.
insert into meta (key, value) values (:key, :value) on conflict do nothing

-- name: set_meta
insert into meta (key, value) values (:key, :value)
on conflict (key) do update set value = excluded.value
