-- Anonymous responses of before, which lay on SQLite in the order in which they were handed in.
update responses set unstirred = 1 where respondent_id is null;
