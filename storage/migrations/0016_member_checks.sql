-- Whether what was made of somebody's words is right, asked of them once a response. Of
-- anonymous responses there is none: nobody is known who could be asked.

-- state: waiting (for the words to be read), asked, done, off (not asked, or not to be any more).
create table member_checks (
    response_id text primary key references responses (response_id) on delete cascade,
    state text not null,
    waits_from text not null,
    asked_at text,
    done_at text
) {keyed};

create index member_checks_waiting on member_checks (response_id) where state = 'waiting';

-- What they make of each answer so far. body holds places in the words, and no words.
create table member_drafts (
    response_id text not null,
    question_id text not null,
    body text not null,
    primary key (response_id, question_id),
    foreign key (response_id, question_id)
        references answers (response_id, question_id) on delete cascade
) {keyed};

-- Who does not want to be asked.
alter table respondents add column unchecked integer not null default 0;
