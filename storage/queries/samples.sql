-- Which answers people are to review. :survey_id, :wave_id and :cohort are null where all are
-- meant. Words of an anonymous survey are read once nothing leads to their person any more: when
-- their wave has closed, outside any on another day. Drawn before, the sample would tell by
-- which hour they were there.

-- name: eligible_answers
select a.response_id, a.question_id, 0.0 as distance
from answers a
join responses r on r.response_id = a.response_id
join surveys s on s.survey_id = r.survey_id and s.revision = r.revision
left join waves w on w.wave_id = r.wave_id
where a.kind = 'text' and a.text <> '' and a.missing is null
and (s.anonymous = 0 or (r.respondent_id is null and (
    w.state = 'closed' or (r.wave_id is null and r.ended_at < :on)
)))
and (cast(:survey_id as text) is null or r.survey_id = :survey_id)
and (cast(:wave_id as text) is null or r.wave_id = :wave_id)
and (cast(:cohort as text) is null or r.cohort = :cohort)

-- name: uncertain_answers
-- How far the least sure tag of the tagger that read last is from being none.
select a.response_id, a.question_id,
    min(abs(c.confidence - coalesce(c.threshold, 0.5))) as distance
from answers a
join codings c on c.response_id = a.response_id and c.question_id = a.question_id
    and c.coder = a.tagged_by
join responses r on r.response_id = a.response_id
join surveys s on s.survey_id = r.survey_id and s.revision = r.revision
left join waves w on w.wave_id = r.wave_id
where a.kind = 'text' and a.text <> '' and a.missing is null
and (s.anonymous = 0 or (r.respondent_id is null and (
    w.state = 'closed' or (r.wave_id is null and r.ended_at < :on)
)))
and (cast(:survey_id as text) is null or r.survey_id = :survey_id)
and (cast(:wave_id as text) is null or r.wave_id = :wave_id)
and (cast(:cohort as text) is null or r.cohort = :cohort)
and not exists (
    select 1 from reviews v
    where v.response_id = a.response_id and v.question_id = a.question_id
)
group by a.response_id, a.question_id

-- name: coded_answers
select a.response_id, a.question_id, 0.0 as distance
from answers a
join responses r on r.response_id = a.response_id
join surveys s on s.survey_id = r.survey_id and s.revision = r.revision
left join waves w on w.wave_id = r.wave_id
where a.kind = 'text' and a.text <> '' and a.missing is null
and (s.anonymous = 0 or (r.respondent_id is null and (
    w.state = 'closed' or (r.wave_id is null and r.ended_at < :on)
)))
and (cast(:survey_id as text) is null or r.survey_id = :survey_id)
and (cast(:wave_id as text) is null or r.wave_id = :wave_id)
and (cast(:cohort as text) is null or r.cohort = :cohort)
and exists (
    select 1 from codings c
    where c.response_id = a.response_id and c.question_id = a.question_id
    and c.coder = a.tagged_by and c.enabler = :enabler
)
and not exists (
    select 1 from reviews v
    where v.response_id = a.response_id and v.question_id = a.question_id
)

-- name: add_sample
insert into samples (
    sample_id, mode, drawn_at, seed, blind, double_share, survey_id, wave_id, cohort, enabler,
    n_population, n_drawn
) values (
    :sample_id, :mode, :at, :seed, :blind, :double_share, :survey_id, :wave_id, :cohort,
    :enabler, :n_population, :n_drawn
)

-- name: add_sampled
insert into sampled (sample_id, response_id, question_id, place, probability, coders_wanted)
values (:sample_id, :response_id, :question_id, :place, :probability, :coders_wanted)

-- name: sample
select sample_id, mode, drawn_at, seed, blind, double_share, survey_id, wave_id, cohort, enabler,
    n_population, n_drawn
from samples where sample_id = :sample_id

-- name: samples
select sample_id, mode, drawn_at, seed, blind, double_share, survey_id, wave_id, cohort, enabler,
    n_population, n_drawn
from samples order by drawn_at desc, sample_id desc
