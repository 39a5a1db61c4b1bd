"""One person's inbound: whose conversation it may move, and what coming back means."""

from __future__ import annotations

from tests.bot.place import Place


def test_a_button_moves_only_its_own_persons_conversation(place: Place) -> None:
    place.write("ann", "/start")
    (_, consent) = place.deliver()[-1]
    agree = next(one.token for one in consent.options if one.label == "I agree")
    before = place.rows("select * from sessions")
    place.press("bob", agree)
    assert (
        place.rows("select * from sessions where session_id = ?", before[0]["session_id"]) == before
    )
    for table in ("consents", "responses", "answers"):
        assert place.rows(f"select * from {table}") == []
    place.answer("bob", "/start")
    place.press("bob", agree)
    assert place.rows("select * from consents") == []
    place.press("ann", agree)
    assert len(place.rows("select * from consents")) == 1


def test_who_says_start_after_stop_hears_from_us_again(place: Place) -> None:
    place.answer("ann", "/start", "yes", "/stop")
    assert place.rows("select opted_out_at from respondents") != [{"opted_out_at": None}]
    place.answer("ann", "/start")
    assert place.rows("select opted_out_at from respondents") == [{"opted_out_at": None}]
    assert len(place.rows("select * from sessions")) == 1
