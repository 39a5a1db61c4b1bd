-- What was drawn of a pool.

-- name: coverage
-- In a wave, and in the other waves of its pulse and cohort.
select d.question_id,
    sum(case when d.wave_id = o.wave_id then d.n else 0 end) as in_wave,
    sum(case when d.wave_id = o.wave_id then 0 else d.n end) as before
from waves o
join waves w on w.cohort = o.cohort and (w.pulse = o.pulse or w.wave_id = o.wave_id)
join draws d on d.wave_id = w.wave_id
where o.wave_id = :wave_id
group by d.question_id
order by d.question_id

-- name: add_draws
insert into draws (wave_id, question_id, n) values (:wave_id, :question_id, :n)
on conflict (wave_id, question_id) do update set n = draws.n + excluded.n

-- name: given_before
select respondent_id, questions from drawn
where survey_id = :survey_id and respondent_id between :first and :last

-- name: note_given
insert into drawn (respondent_id, survey_id, questions)
values (:respondent_id, :survey_id, :questions)
on conflict (respondent_id, survey_id) do update set questions = excluded.questions
