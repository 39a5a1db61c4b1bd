-- Writing anonymous responses anew, many together, so that nothing that a server notes of a
-- row tells when it came.

-- name: ruffle
update responses set unstirred = 1
where response_id = :response_id and respondent_id is null

-- name: unstirred
select response_id, survey_id, wave_id from responses
where unstirred = 1 and respondent_id is null
order by response_id
limit :limit

-- name: companions
select response_id from responses
where respondent_id is null and survey_id = :survey_id
and (wave_id = :wave_id or (cast(:wave_id as text) is null and wave_id is null))
order by random()
limit :limit

-- name: hold_answers.sqlite
-- Who has begun a transaction writes alone.
select 1 as held where 0

-- name: hold_answers.postgres
select 1 as held from answers
where response_id = any(cast(:ids as text[]))
order by response_id, question_id
for update

-- name: hold_responses.sqlite
select response_id from responses
where response_id in (select value from json_each(:ids)) and respondent_id is null
order by response_id

-- name: hold_responses.postgres
select response_id from responses
where response_id = any(cast(:ids as text[])) and respondent_id is null
order by response_id
for update

-- name: lift.sqlite
-- With all that hangs on them.
delete from responses where response_id in (select value from json_each(:ids))

-- name: lift.postgres
delete from responses where response_id = any(cast(:ids as text[]))
