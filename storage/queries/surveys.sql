-- The instruments, every revision for ever.

-- name: keep_survey
insert into surveys (survey_id, revision, anonymous, document, kept_at)
values (:survey_id, :revision, :anonymous, :document, :at)
on conflict do nothing

-- name: survey
select document from surveys where survey_id = :survey_id and revision = :revision

-- name: kept_surveys
select document from surveys order by survey_id, kept_at, revision
