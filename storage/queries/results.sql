-- What a closed wave said: its figures, its pictures, and whom we still have to tell.

-- name: keep_picture
insert into pictures (picture_id, content, made_at) values (:picture_id, :content, :at)
on conflict do nothing

-- name: picture
select content from pictures where picture_id = :picture_id
