-- What people make of tags: samples that are drawn for them, and their reviews. Forward only,
-- on SQLite and on PostgreSQL alike.

-- Who says so: tagger, coder (a person who reads for the researchers) or respondent (of their
-- own words). threshold: the least confidence at which a tagger gives the code; null for people.
alter table codings add column threshold double precision;
alter table codings add column source text not null default 'tagger';

-- One drawing of answers to be read. What is null was not asked for.
create table samples (
    sample_id text primary key,
    mode text not null,
    drawn_at text not null,
    seed text not null,
    blind integer not null,
    double_share double precision not null,
    survey_id text,
    wave_id text,
    cohort text,
    enabler text,
    n_population integer not null,
    n_drawn integer not null
) {keyed};

-- What was drawn. place is by chance, never by time. probability is that with which this answer
-- was to come into the sample; null where it was chosen for what it holds.
create table sampled (
    sample_id text not null,
    response_id text not null,
    question_id text not null,
    place integer not null,
    probability double precision,
    coders_wanted integer not null,
    primary key (sample_id, response_id, question_id),
    foreign key (response_id, question_id)
        references answers (response_id, question_id) on delete cascade
) {keyed};

create index sampled_answer on sampled (response_id, question_id);
create index sampled_place on sampled (sample_id, place);

-- That somebody read an answer: done or skipped. Done with no confirmed coding: none of the
-- codes. number counts what this coder has read. Of a loose response reviewed_at is a day.
create table reviews (
    response_id text not null,
    question_id text not null,
    coder text not null,
    sample_id text not null,
    number integer not null,
    blind integer not null,
    state text not null,
    reviewed_at text not null,
    codeframe_version text not null,
    primary key (response_id, question_id, coder),
    foreign key (response_id, question_id)
        references answers (response_id, question_id) on delete cascade
) {keyed};

create index reviews_coder on reviews (coder, number);

-- What a coder has in hand of a sample and has not finished. body holds places in the words, and
-- no words.
create table review_drafts (
    coder text not null,
    sample_id text not null,
    response_id text not null,
    question_id text not null,
    body text not null,
    primary key (coder, sample_id),
    foreign key (response_id, question_id)
        references answers (response_id, question_id) on delete cascade
) {keyed};

create index review_drafts_answer on review_drafts (response_id, question_id);
