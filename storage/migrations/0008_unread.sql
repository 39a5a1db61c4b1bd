-- Words that a tagger has still to read: new ones, and those that an older model broke on. A
-- column of its own and not a condition on others, so that PostgreSQL can tell how few they are
-- and looks for them first.
alter table answers add column unread integer not null default 0;

update answers set unread = 1
where kind = 'text' and text <> '' and missing is null
and (tagged_by is null or tag_error is not null);

drop index answers_untagged;
create index answers_unread on answers (response_id, question_id) where unread = 1;
