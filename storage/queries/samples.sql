-- Which answers people are to review.

-- part: readable
-- :survey_id, :wave_id and :cohort are null where all are meant. Words of an anonymous survey are
-- read once nothing leads to their person any more: when their wave has closed, outside any on
-- another day. Drawn before, the sample would tell by which hour they were there.
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

-- name: eligible_answers
select a.response_id, a.question_id, 0.0 as distance
from answers a
@readable

-- name: uncertain_answers
-- How far the least sure tag of the tagger that read last is from being none.
select a.response_id, a.question_id,
    min(abs(c.confidence - coalesce(c.threshold, 0.5))) as distance
from answers a
join codings c on c.response_id = a.response_id and c.question_id = a.question_id
    and c.coder = a.tagged_by
@readable
and not exists (
    select 1 from reviews v
    where v.response_id = a.response_id and v.question_id = a.question_id
)
group by a.response_id, a.question_id

-- name: coded_answers
select a.response_id, a.question_id, 0.0 as distance
from answers a
@readable
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

-- name: touched_answers
-- What somebody has read, skipped or in hand.
select response_id, question_id from reviews
union
select response_id, question_id from review_drafts

-- name: awaited_blind
-- What fewer have read blind than are to.
select d.response_id, d.question_id
from sampled d
join samples s on s.sample_id = d.sample_id
where s.mode <> 'disagreement' and (s.blind = 1 or d.coders_wanted > 1)
and (
    select count(*) from reviews v
    where v.response_id = d.response_id and v.question_id = d.question_id
    and v.state = 'done' and v.blind = 1
) < d.coders_wanted

-- name: sample
select s.sample_id, s.mode, s.drawn_at, s.seed, s.blind, s.double_share, s.survey_id, s.wave_id,
    s.cohort, s.enabler, s.n_population, s.n_drawn, (
        select count(*) from sampled d where d.sample_id = s.sample_id and d.coders_wanted > 1
    ) as n_shared
from samples s where s.sample_id = :sample_id

-- name: samples
select s.sample_id, s.mode, s.drawn_at, s.seed, s.blind, s.double_share, s.survey_id, s.wave_id,
    s.cohort, s.enabler, s.n_population, s.n_drawn, (
        select count(*) from sampled d where d.sample_id = s.sample_id and d.coders_wanted > 1
    ) as n_shared
from samples s order by s.drawn_at desc, s.sample_id desc
