-- What a server notes of each row could join an anonymous response to its person. So such rows
-- are written anew a little later, many together (PostgreSQL; on SQLite nothing is noted).

-- Whether this response, or what was said of it, was written since it was last stirred.
alter table responses add column unstirred integer not null default 0;

create index responses_unstirred on responses (response_id) where unstirred = 1;

-- Responses that are nobody's, among which another one hides.
create index responses_loose on responses (survey_id, wave_id, response_id)
    where respondent_id is null;
