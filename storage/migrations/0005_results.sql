-- What a closed wave said, and what the organisers answer to it.

-- A message to a place (a channel of a cohort) and not to a person: where it goes. Its
-- respondent_id is the place's, place:CHAT, so that the messages to one place keep their order.
alter table outbox add column chat text;

-- Pictures that are sent, as base64, each under the hash of its content.
create table pictures (
    picture_id text primary key,
    content text not null,
    made_at text not null
) {keyed};

-- The figures of a wave as they were shown, with what too few people share left out. They stay
-- as they are: made anew after an erasure, the difference would tell what was erased.
-- pictures is JSON, language to picture_id. Who is told of it follows by pseudonym; told_after
-- is the last who was, and null once everybody is.
create table results (
    wave_id text primary key,
    figures text not null,
    pictures text not null,
    made_at text not null,
    told_after text
) {keyed};

create index results_telling on results (wave_id) where told_after is not null;

-- "You said, we did": what organisers answer to who wrote of something. waves and words are
-- JSON (a list; language to text). people is how many as they may know it. Who gets it is
-- looked up and kept nowhere; told_after as above.
create table replies (
    reply_id text primary key,
    cohort text not null,
    enabler text not null,
    stance text,
    waves text not null,
    words text not null,
    author text not null,
    people text not null,
    made_at text not null,
    told_after text
) {keyed};

create index responses_wave on responses (wave_id, respondent_id);
