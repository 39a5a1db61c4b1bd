-- What is said of the words of an answer.

-- name: untagged
-- An unsubmitted answer of an anonymous survey is nobody's to read. Written as a cross join,
-- SQLite looks for the answers first, whatever it has been told of the tables.
select a.response_id, a.question_id, a.question, a.text, r.language
from answers a
cross join responses r
cross join surveys s
where a.unread = 1 and (a.tagged_by is null or a.tagged_by <> :coder)
and r.response_id = a.response_id
and s.survey_id = r.survey_id and s.revision = r.revision
and (s.anonymous = 0 or r.respondent_id is null)
order by r.started_at, a.response_id, a.place
limit :limit

-- name: tagged_otherwise
-- By ids, which say nothing of time. What this model's phrases in another language read, it read.
select a.response_id, a.question_id, a.question, a.text, r.language,
    case when a.unread = 0 then 1 else 0 end as read_before
from answers a
cross join responses r
cross join surveys s
where (a.response_id > :response_id
    or (a.response_id = :response_id and a.question_id > :question_id))
and a.kind = 'text' and a.text <> '' and a.missing is null
and (a.tagged_by is null or (
    a.tagged_by <> :coder
    and substr(a.tagged_by, 1, length(cast(:coder as text)) + 1) <> cast(:coder as text) || '+'
))
and r.response_id = a.response_id
and s.survey_id = r.survey_id and s.revision = r.revision
and (s.anonymous = 0 or r.respondent_id is null)
order by a.response_id, a.question_id
limit :limit

-- name: count_tagged_otherwise
select count(*) as n
from answers a
cross join responses r
cross join surveys s
where a.kind = 'text' and a.text <> '' and a.missing is null
and (a.tagged_by is null or (
    a.tagged_by <> :coder
    and substr(a.tagged_by, 1, length(cast(:coder as text)) + 1) <> cast(:coder as text) || '+'
))
and r.response_id = a.response_id
and s.survey_id = r.survey_id and s.revision = r.revision
and (s.anonymous = 0 or r.respondent_id is null)

-- name: not_tagged
-- What a tagger gave up on, and why; the oldest response first.
select a.response_id, a.question_id, a.question, a.text, r.language, a.tag_error, a.tagged_by
from answers a
join responses r on r.response_id = a.response_id
where a.unread = 1 and a.tag_error is not null
order by r.started_at, a.response_id, a.place

-- name: mark_tagged
-- Words that it broke on are for another one to read.
update answers
set tagged_by = :coder, tag_error = :error,
    unread = case when cast(:error as text) is null then 0 else 1 end
where response_id = :response_id and question_id = :question_id and text = :text

-- name: add_coding
-- A loose response knows days only.
insert into codings (
    coding_id, response_id, question_id, enabler, stance, span_text, span_start, span_end,
    confidence, threshold, coder, source, coded_at, status
)
select :coding_id, r.response_id, :question_id, :enabler, :stance, :span_text, :span_start,
    :span_end, :confidence, :threshold, :coder, :source,
    case when r.respondent_id is null then substr(:at, 1, 10) else :at end, :status
from responses r where r.response_id = :response_id
on conflict do nothing

-- name: codings_of
select c.question_id, c.enabler, c.stance, c.span_text, c.span_start, c.span_end, c.confidence,
    c.threshold, c.coder, c.source, c.coded_at, c.status
from codings c
join answers a on a.response_id = c.response_id and a.question_id = c.question_id
where c.response_id = :response_id
order by a.place, c.span_start, c.span_end, c.enabler, c.coding_id
