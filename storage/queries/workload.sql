-- How much there is to do, beside the outbox: numbers only.

-- name: count_untagged
-- As untagged, of answers that no tagger has read.
select count(*) as n
from answers a
cross join responses r
cross join surveys s
where a.unread = 1 and a.tagged_by is null
and r.response_id = a.response_id
and s.survey_id = r.survey_id and s.revision = r.revision
and (s.anonymous = 0 or r.respondent_id is null)

-- name: count_open_waves
select count(*) as n from waves where state = 'open'
