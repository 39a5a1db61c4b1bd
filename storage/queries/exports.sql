-- What exports read. :survey_id and :wave_id are null where all is wanted.
-- Rows of responses are in the order of their random ids, never of time.

-- name: export_waves
select wave_id
from waves
order by wave_id;

-- Every revision that a selection has responses to, or that its wave fields.
-- name: export_revisions
select survey_id, revision
from responses
where (cast(:survey_id as text) is null or survey_id = :survey_id)
  and (cast(:wave_id as text) is null or wave_id = :wave_id)
union
select survey_id, revision
from waves
where (cast(:survey_id as text) is null or survey_id = :survey_id)
  and (cast(:wave_id as text) is null or wave_id = :wave_id);

-- About how many rows all tables have together, for the progress bar.
-- name: export_total
select
    (
        select count(*)
        from responses r
        join answers a on a.response_id = r.response_id
        where (cast(:survey_id as text) is null or r.survey_id = :survey_id)
          and (cast(:wave_id as text) is null or r.wave_id = :wave_id)
    ) + (
        select count(*)
        from responses r
        join codings c on c.response_id = r.response_id
        where (cast(:survey_id as text) is null or r.survey_id = :survey_id)
          and (cast(:wave_id as text) is null or r.wave_id = :wave_id)
    ) + (
        select count(*)
        from responses r
        where (cast(:survey_id as text) is null or r.survey_id = :survey_id)
          and (cast(:wave_id as text) is null or r.wave_id = :wave_id)
    ) + (
        select count(*)
        from responses r
        join sampled d on d.response_id = r.response_id
        where (cast(:survey_id as text) is null or r.survey_id = :survey_id)
          and (cast(:wave_id as text) is null or r.wave_id = :wave_id)
    ) + (
        select count(*)
        from responses r
        join reviews v on v.response_id = r.response_id
        where (cast(:survey_id as text) is null or r.survey_id = :survey_id)
          and (cast(:wave_id as text) is null or r.wave_id = :wave_id)
    ) + (
        select count(*)
        from invitations i
        join waves w on w.wave_id = i.wave_id
        where (cast(:survey_id as text) is null or w.survey_id = :survey_id)
          and (cast(:wave_id as text) is null or w.wave_id = :wave_id)
    ) + (
        select count(*)
        from dispositions d
        join invitations i on i.invitation_id = d.invitation_id
        join waves w on w.wave_id = i.wave_id
        where (cast(:survey_id as text) is null or w.survey_id = :survey_id)
          and (cast(:wave_id as text) is null or w.wave_id = :wave_id)
    ) as total;

-- name: export_answers
select
    r.response_id, r.wave_id as wave, r.survey_id as survey, r.revision,
    r.respondent_id as respondent, r.role, r.sector, r.cohort, r.channel, r.language,
    a.question_id, a.question, a.kind, a.value, a.text, a.missing,
    a.asked_at, a.answered_at, a.n_edits, a.tagged_by, a.tag_error,
    coalesce(w.state, 'closed') as wave_state
from responses r
join answers a on a.response_id = r.response_id
left join waves w on w.wave_id = r.wave_id
where (cast(:survey_id as text) is null or r.survey_id = :survey_id)
  and (cast(:wave_id as text) is null or r.wave_id = :wave_id)
order by a.response_id, a.place, a.question_id;

-- The same rows, with only what the table of responses lays side by side.
-- name: export_values
select a.response_id, a.question_id, a.kind, a.value, a.text, a.missing
from responses r
join answers a on a.response_id = r.response_id
where (cast(:survey_id as text) is null or r.survey_id = :survey_id)
  and (cast(:wave_id as text) is null or r.wave_id = :wave_id)
order by a.response_id, a.place, a.question_id;

-- A response's id is its session's, until it is cut loose.
-- name: export_responses
select
    r.response_id, r.wave_id as wave, r.survey_id as survey, r.revision,
    r.respondent_id as respondent, r.role, r.sector, r.cohort, r.channel, r.language,
    r.started_at, r.ended_at, r.disposition, r.drawn, s.status,
    coalesce(w.state, 'closed') as wave_state
from responses r
left join sessions s on s.session_id = r.response_id
left join waves w on w.wave_id = r.wave_id
where (cast(:survey_id as text) is null or r.survey_id = :survey_id)
  and (cast(:wave_id as text) is null or r.wave_id = :wave_id)
order by r.response_id;

-- name: export_codes
select
    r.response_id, r.survey_id as survey, r.revision, r.respondent_id as respondent,
    c.question_id, c.enabler, c.stance, c.span_text, c.span_start, c.span_end,
    c.confidence, c.coder, c.coded_at, c.status, c.source, c.threshold,
    case when @counts then 1 else 0 end as counted,
    coalesce(w.state, 'closed') as wave_state
from responses r
join codings c on c.response_id = r.response_id
join answers a on a.response_id = c.response_id and a.question_id = c.question_id
left join waves w on w.wave_id = r.wave_id
where (cast(:survey_id as text) is null or r.survey_id = :survey_id)
  and (cast(:wave_id as text) is null or r.wave_id = :wave_id)
order by
    c.response_id, a.place, a.question_id, c.span_start, c.span_end, c.enabler,
    coalesce(c.stance, ''), c.coder, c.coding_id;

-- name: export_samples
select
    d.sample_id, s.mode, s.seed, s.drawn_at, d.response_id, d.question_id, d.place,
    d.probability, d.coders_wanted,
    r.survey_id as survey, r.revision, r.respondent_id as respondent,
    coalesce(w.state, 'closed') as wave_state
from samples s
join sampled d on d.sample_id = s.sample_id
join responses r on r.response_id = d.response_id
left join waves w on w.wave_id = r.wave_id
where (cast(:survey_id as text) is null or r.survey_id = :survey_id)
  and (cast(:wave_id as text) is null or r.wave_id = :wave_id)
order by s.drawn_at, d.sample_id, d.place;

-- name: export_reviews
select
    v.response_id, v.question_id, v.coder, v.state, v.blind, v.sample_id, v.reviewed_at,
    v.codeframe_version,
    r.survey_id as survey, r.revision, r.respondent_id as respondent,
    coalesce(w.state, 'closed') as wave_state
from reviews v
join responses r on r.response_id = v.response_id
join answers a on a.response_id = v.response_id and a.question_id = v.question_id
left join waves w on w.wave_id = r.wave_id
where (cast(:survey_id as text) is null or r.survey_id = :survey_id)
  and (cast(:wave_id as text) is null or r.wave_id = :wave_id)
order by v.response_id, a.place, v.question_id, v.coder;

-- Waves that ask each person a few questions.
-- name: export_designs
select
    w.wave_id as wave, w.survey_id as survey, w.revision, w.pulse, w.cohort,
    w.questions_per_person, w.seed
from waves w
where w.questions_per_person is not null
  and (cast(:survey_id as text) is null or w.survey_id = :survey_id)
  and (cast(:wave_id as text) is null or w.wave_id = :wave_id)
order by w.wave_id;

-- name: export_draws
select d.wave_id as wave, d.question_id, d.n
from draws d
join waves w on w.wave_id = d.wave_id
where (cast(:survey_id as text) is null or w.survey_id = :survey_id)
  and (cast(:wave_id as text) is null or w.wave_id = :wave_id)
order by d.wave_id, d.question_id;

-- Invitation ids are random, so their order says nothing of the people.
-- name: export_invitations
select
    i.invitation_id, i.wave_id as wave, w.survey_id as survey, w.revision, w.cohort,
    i.respondent_id as respondent, p.role, p.sector,
    i.invited_at, i.reminders, i.disposition, i.state
from invitations i
join waves w on w.wave_id = i.wave_id
left join respondents p on p.respondent_id = i.respondent_id
where (cast(:survey_id as text) is null or w.survey_id = :survey_id)
  and (cast(:wave_id as text) is null or w.wave_id = :wave_id)
order by i.wave_id, i.invitation_id;

-- That an invitation was made says its own row; what came after says its history.
-- name: export_dispositions
select
    i.invitation_id, i.wave_id as wave, w.survey_id as survey, w.revision,
    0 as seq, 'registered' as state, i.invited_at as at, i.channel, cast(null as text) as reason
from invitations i
join waves w on w.wave_id = i.wave_id
where (cast(:survey_id as text) is null or w.survey_id = :survey_id)
  and (cast(:wave_id as text) is null or w.wave_id = :wave_id)
union all
select
    i.invitation_id, i.wave_id as wave, w.survey_id as survey, w.revision,
    d.seq, d.state, d.at, d.channel, d.reason
from dispositions d
join invitations i on i.invitation_id = d.invitation_id
join waves w on w.wave_id = i.wave_id
where (cast(:survey_id as text) is null or w.survey_id = :survey_id)
  and (cast(:wave_id as text) is null or w.wave_id = :wave_id)
order by wave, invitation_id, seq;
