-- Asking people whether what was made of their words is right.

-- name: await_check
insert into member_checks (response_id, state, waits_from)
values (:response_id, 'waiting', :at)
on conflict do nothing

-- name: waiting_checks
-- Those whose words were all read, and those that have waited too long.
select m.response_id, m.waits_from, r.respondent_id, r.survey_id, r.revision, r.wave_id
from member_checks m
join responses r on r.response_id = m.response_id
where m.state = 'waiting' and m.response_id > :after
and (m.waits_from < :overdue or not exists (
    select 1 from answers a
    where a.response_id = m.response_id and a.unread = 1 and a.tag_error is null
))
order by m.response_id
limit :limit

-- name: member_check
select m.response_id, m.state, r.respondent_id, r.survey_id, r.revision
from member_checks m
join responses r on r.response_id = m.response_id
where m.response_id = :response_id

-- name: checks_shown
select 1 as yes from member_checks m
join responses r on r.response_id = m.response_id
where r.respondent_id = :respondent_id and m.asked_at is not null
limit 1

-- name: answers_to_check
-- What the tagger says that read it last.
select a.question_id, a.place, a.question, a.text, a.tagged_by
from answers a
where a.response_id = :response_id and a.kind = 'text' and a.text <> '' and a.missing is null
and a.tagged_by is not null and a.tag_error is null and a.unread = 0
order by a.place

-- name: member_drafts
select d.question_id, d.body, a.place, a.question, a.text
from member_drafts d
join answers a on a.response_id = d.response_id and a.question_id = d.question_id
where d.response_id = :response_id
order by a.place

-- name: keep_member_draft
insert into member_drafts (response_id, question_id, body)
values (:response_id, :question_id, :body)
on conflict (response_id, question_id) do update set body = excluded.body

-- name: drop_member_drafts
delete from member_drafts where response_id = :response_id

-- name: retract_member_drafts
-- Who changes their words takes back what was made of the old ones.
delete from member_drafts
where response_id = :response_id and question_id = :question_id
and exists (
    select 1 from answers a
    where a.response_id = :response_id and a.question_id = :question_id and a.text <> :text
)

-- name: move_check
update member_checks set state = :state,
    asked_at = case when :state = 'asked' then :at else asked_at end,
    done_at = case when :state = 'done' then :at else done_at end
where response_id = :response_id and (:before = '' or state = :before)

-- name: drop_own_codings
delete from codings
where response_id = :response_id and question_id = :question_id and source = 'respondent'

-- name: unsend_check
-- What was not sent yet is not asked any more.
delete from outbox where session_id = :session_id and state = 'pending' and doubt = 0

-- name: set_unchecked
update respondents set unchecked = :unchecked where respondent_id = :respondent_id

-- name: unchecked
select unchecked from respondents where respondent_id = :respondent_id
