"""Results: pictures, figures and who was told."""

from __future__ import annotations

from storage.store import SqlStore
from tests.contract.scenes import AT, rows


def test_a_picture_is_kept_once_and_given_as_it_was(store: SqlStore) -> None:
    content = bytes(range(256)) * 40
    picture_id = store.keep_picture(content, at=AT)
    assert store.keep_picture(content, at=AT) == picture_id
    assert store.keep_picture(b"another", at=AT) != picture_id
    assert store.picture(picture_id) == content
    assert store.picture("none") is None
    assert len(rows(store, "pictures")) == 2
