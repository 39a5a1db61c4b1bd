"""Which conversation an inbound belongs to, where somebody is in several or in none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.channels.base import Wrote
from bot.channels.slack_shapes import to_inbound
from bot.house import CohortPlan, PulsePlan
from dialogues.prompts import Button
from storage.protocol import Receipt
from storage.tables import TABLES
from tests.bot.place import MONTHLY, RIVERSIDE, Place
from tests.bot.ports import FakeClock
from tests.talk import survey_of

OTHER = survey_of(
    {"id": "first", "kind": "text", "text": "Other one? [o1]"},
    {"id": "second", "kind": "text", "text": "Other two? [o2]"},
    survey="other",
)
LAKE = CohortPlan(
    name="lake", title="Lake", timezone="Europe/London", code="lake", survey_id="other"
)
SECOND = PulsePlan(
    name="second",
    survey_id="other",
    cohorts=("lake",),
    roles=("citizen", "partner"),
    cron="0 11 2 * *",
    remind_after=(timedelta(days=1),),
    close_after=timedelta(days=20),
)
HIDDEN = replace(MONTHLY, name="hidden", survey_id="secret", remind_after=())


def on(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 12, day, hour, minute, second, tzinfo=UTC)


@pytest.fixture
def two(place: Place) -> Place:
    """Ann is in two cohorts, each with a pulse of its own."""
    place.set_up(MONTHLY, SECOND, cohorts=(RIVERSIDE, LAKE), more=(OTHER,))
    place.join("ann")
    place.join("ann", cohort="lake")
    return place


def answers(place: Place) -> dict[tuple[str, str], str]:
    rows = place.rows(
        "select r.survey_id, a.question_id, coalesce(nullif(a.text, ''), a.value) said"
        " from answers a join responses r using (response_id)"
    )
    return {(row["survey_id"], row["question_id"]): row["said"] for row in rows if row["said"]}


def tokens(place: Place, name: str = "ann") -> dict[str, str]:
    """Send what is due and give the tokens of the newest buttons."""
    prompts = [prompt for who, prompt in place.deliver() if who == name]
    buttons: tuple[Button, ...] = (*prompts[-1].options, *prompts[-1].controls)
    return {button.label: button.token for button in buttons}


class TestSeveral:
    def test_a_wave_that_closes_takes_nobody_out_of_another(self, two: Place) -> None:
        two.tick(on(1, 10))
        two.deliver()
        two.tick(on(2, 11))
        two.deliver()
        two.clock.at = on(11, 9, 58)
        two.answer("ann", "yes", "first words")
        two.tick(on(11, 10, 1))
        two.deliver()
        two.answer("ann", "second words")
        assert answers(two)["other", "second"] == "second words"

    def test_a_reminder_on_its_way_takes_no_answer_to_another_wave(self, two: Place) -> None:
        why = survey_of({"id": "why", "kind": "text", "text": "Why? [why]"}, survey="small")
        calm = replace(SECOND, remind_after=())
        two.set_up(
            replace(MONTHLY, remind_after=(timedelta(days=2),)),
            calm,
            cohorts=(RIVERSIDE, LAKE),
            more=(OTHER, why),
        )
        two.tick(on(1, 10))
        two.deliver()
        two.clock.at = on(1, 10, 5)
        two.answer("ann", "yes")
        two.tick(on(2, 11))
        two.deliver()
        two.clock.at = on(3, 9, 59)
        two.answer("ann", "yes")
        two.tick(on(3, 10))
        two.write("ann", "words for the other")
        assert answers(two) == {("other", "first"): "words for the other"}

    def test_what_is_typed_while_an_invitation_arrives_is_an_answer(self, two: Place) -> None:
        two.clock.at = on(1, 9, 50)
        two.answer("ann", "hello", "yes", "first words")
        two.tick(on(1, 10))
        assert any("May we keep" in prompt.text for _, prompt in two.deliver())
        two.answer("ann", "Because nobody phones back")
        assert "Because nobody phones back" in answers(two).values()

    def test_the_other_invitation_can_still_be_taken_by_typing(self, two: Place) -> None:
        two.tick(on(1, 10))
        two.deliver()
        two.tick(on(2, 11))
        two.deliver()
        two.clock.at = on(2, 12)
        two.answer("ann", "yes", "one", "two")
        shown = two.answer("ann", "yes")
        assert "[goals]" in shown[-1]

    def test_an_edit_reaches_the_answer_that_was_edited(self, two: Place) -> None:
        two.tick(on(1, 10))
        two.deliver()
        two.clock.at = on(1, 10, 5)
        two.answer("ann", "yes", "yes", "frist words")
        position = two.said["ann"]
        two.tick(on(2, 11))
        two.deliver()
        two.edit("ann", position, "first words")
        assert answers(two)["small", "why"] == "first words"

    def test_thanks_after_an_anonymous_end_answer_nothing(self, place: Place) -> None:
        place.set_up(HIDDEN)
        place.join("ann")
        place.clock.at = on(1, 9, 50)
        place.answer("ann", "hello", "yes", "yes")
        place.tick(on(1, 10))
        place.deliver()
        place.answer("ann", "yes", "yes", "send")
        shown = place.answer("ann", "thank you")
        assert shown
        assert "thank you" not in answers(place).values()
        # What was begun before goes on with start.
        assert "[why]" in place.answer("ann", "/start")[-1]

    def test_what_was_left_long_ago_takes_no_words_from_an_invitation(self, two: Place) -> None:
        two.clock.at = datetime(2026, 9, 1, 9, tzinfo=UTC)
        two.answer("ann", "hello", "yes", "yes")
        two.tick(on(1, 10))
        two.deliver()
        shown = two.answer("ann", "Not today thank you")
        assert "Not today thank you" not in answers(two).values()
        assert "Shall we start" in shown[-1] or "press" in shown[-1]

    def test_a_reply_that_did_not_fit_is_mended_by_editing(self, place: Place) -> None:
        place.join("ann")
        place.answer("ann", "hello", "yes", "perhaps so")
        place.edit("ann", place.said["ann"], "no")
        assert answers(place)["small", "goals"] == "no"


class TestCut:
    @pytest.fixture
    def cut(self, place: Place) -> Place:
        """Ann left an open check-in at its text, then handed in an anonymous response."""
        place.set_up(HIDDEN, cohorts=(RIVERSIDE, LAKE), more=(OTHER,))
        place.join("ann")
        place.clock.at = on(1, 9, 50)
        place.answer("ann", "hello", "yes", "yes")
        place.tick(on(1, 10))
        place.deliver()
        place.answer("ann", "yes")
        place.write("ann", "yes")
        self.send = tokens(place)["Send my answers"]
        place.press("ann", self.send)
        assert "Nothing joins" in place.texts()["ann"][-1]
        return place

    def test_a_second_press_puts_no_other_question(self, cut: Place) -> None:
        cut.press("ann", self.send)
        assert cut.texts()["ann"] == ["That question is closed."]
        cut.answer("ann", "thank you")
        assert "thank you" not in answers(cut).values()

    def test_an_edit_is_told_that_it_comes_too_late(self, cut: Place) -> None:
        cut.edit("ann", "000000999", "no")
        assert "cannot be changed" in cut.texts()["ann"][-1]

    def test_a_language_is_understood(self, cut: Place) -> None:
        cut.answer("ann", "/language")
        assert "Gymraeg" in cut.answer("ann", "Cymraeg")[-1]

    def test_a_code_is_answered(self, cut: Place) -> None:
        assert any("Lake" in text or "[o1]" in text for text in cut.answer("ann", "/start lake"))
        assert any("do not know that link" in text for text in cut.answer("ann", "/start nope"))

    def test_everything_can_be_erased(self, cut: Place) -> None:
        cut.answer("ann", "/start")
        cut.answer("ann", "a word", "/forget", "/forget")
        assert cut.rows("select * from addresses") == []


class TestUnseen:
    def test_nobody_agrees_to_what_was_not_sent(self, place: Place) -> None:
        place.set_up(replace(MONTHLY, quiet_hours=(9 * 60, 20 * 60)))
        place.join("ann", channel="slack")
        place.tick(on(1, 10))
        place.take(
            Wrote(address=place.address("ann", "slack"), text="yes", position=None, **place.event())
        )
        assert place.rows("select * from consents") == []
        assert "May we keep" in place.texts("slack")["ann"][-1]

    @pytest.mark.parametrize("outcome", ["dead", "gone"])
    def test_a_question_that_never_arrived_is_put_again(self, place: Place, outcome: str) -> None:
        place.join("ann")
        place.clock.at = on(1, 10)
        place.answer("ann", "hello", "yes", "yes")
        place.write("ann", "my words")
        lost = place.run(lambda store: place.claim(store, "telegram"))
        receipts = [Receipt(outbox_id=row.outbox_id, outcome=outcome) for row in lost]
        place.run(lambda store: store.settle(receipts, now=place.clock()))
        assert place.answer("ann", "hello?")
        assert answers(place)["small", "why"] == "my words"

    def test_ticks_replace_the_question_and_not_what_came_after_it(self, place: Place) -> None:
        several = survey_of(
            {"id": "m", "kind": "multichoice", "text": "Which?", "choices": ["Aa", "Bb", "Cc"]},
            survey="small",
        )
        place.set_up(more=(several,))
        place.join("ann")
        place.answer("ann", "hello")
        place.write("ann", "yes")
        ticks = tokens(place)
        question = f"{place.position:09}"
        place.answer("ann", "/help")
        place.press("ann", ticks["Aa"])
        [edit] = place.run(lambda store: place.claim(store, "telegram"))
        assert edit.replaces == question


class TestClosed:
    def test_an_invitation_that_was_declined_is_not_taken_after_the_closing(
        self, place: Place
    ) -> None:
        place.join("ann")
        place.tick(on(1, 10))
        buttons = tokens(place)
        place.press("ann", buttons["No thanks"])
        place.tick(on(11, 10, 1))
        place.deliver()
        place.press("ann", buttons["I agree"])
        assert "closed" in place.texts()["ann"][-1]
        assert place.rows("select * from responses") == []

    def test_who_stopped_does_not_go_on_in_a_closed_wave(self, place: Place) -> None:
        place.set_up(cohorts=(replace(RIVERSIDE, survey_id=None),))
        place.join("ann")
        place.tick(on(1, 10))
        place.deliver()
        place.answer("ann", "yes", "yes", "/stop")
        before = place.dispositions()
        place.tick(on(11, 10, 1))
        place.clock.at = on(20, 9)
        shown = place.answer("ann", "/start", "late words")
        assert "closed" in shown[0]
        assert answers(place) == {("small", "goals"): "yes"}
        assert place.dispositions() == before

    def test_commands_go_on_working_after_the_closing(self, place: Place) -> None:
        place.join("ann")
        place.tick(on(1, 10))
        place.deliver()
        place.answer("ann", "yes", "yes", "words")
        place.tick(on(11, 10, 1))
        assert "words" in place.answer("ann", "/mydata")[-1]


class TestForgotten:
    def test_leftovers_make_nobody_known(self, place: Place) -> None:
        place.write("ann", "hello")
        buttons = tokens(place)
        place.answer("ann", "yes", "yes", "my words")
        position = place.said["ann"]
        place.answer("ann", "/forget", "/forget")
        place.edit("ann", position, "my other words")
        place.press("ann", buttons["I agree"])
        assert place.texts() == {}
        assert place.rows("select * from addresses") == []
        assert len(place.rows("select * from suppressed")) == 1

    def test_erasing_is_confirmed_where_there_is_no_conversation(self, place: Place) -> None:
        place.set_up(cohorts=(replace(RIVERSIDE, survey_id=None),))
        place.join("ann")
        place.write("ann", "forget")
        buttons = tokens(place)
        assert place.rows("select * from memberships")
        place.press("ann", buttons["Keep it"])
        assert place.rows("select * from memberships")
        place.press("ann", buttons["Erase everything"])
        assert place.rows("select * from memberships") == []
        assert "erased" in place.texts()["ann"][-1]

    def test_a_button_to_erase_works_whatever_was_begun_since(self, place: Place) -> None:
        place.set_up(cohorts=(replace(RIVERSIDE, survey_id=None),))
        place.join("ann")
        place.write("ann", "forget")
        buttons = tokens(place)
        place.tick(on(1, 10))
        place.deliver()
        place.press("ann", buttons["Erase everything"])
        assert place.rows("select * from memberships") == []
        assert "erased" in place.texts()["ann"][-1]

    def test_erasing_is_confirmed_by_its_own_words(self, place: Place) -> None:
        place.set_up(cohorts=(replace(RIVERSIDE, survey_id=None),))
        place.join("ann")
        place.answer("ann", "forget", "erase everything")
        assert place.rows("select * from addresses") == []


class TestWithdrawn:
    def test_who_takes_part_again_is_asked_again(self, place: Place) -> None:
        place.join("ann")
        place.tick(on(1, 10))
        place.deliver()
        place.answer("ann", "stop")
        assert place.rows("select opted_out_at from respondents")[0]["opted_out_at"]
        place.tick(on(11, 11))
        place.tick(datetime(2027, 1, 1, 10, tzinfo=UTC))
        assert place.deliver() == []
        place.answer("ann", "ok thanks")
        assert place.rows("select opted_out_at from respondents")[0]["opted_out_at"]
        place.answer("ann", "/start")
        place.tick(datetime(2027, 2, 1, 10, tzinfo=UTC))
        assert place.deliver()

    def test_stop_ends_every_conversation(self, two: Place) -> None:
        two.clock.at = on(1, 9, 50)
        two.answer("ann", "hello", "yes")
        two.tick(on(1, 10))
        two.deliver()
        two.tick(on(2, 11))
        two.deliver()
        shown = two.answer("ann", "/stop")
        assert len(shown) == 1
        statuses = {row["status"] for row in two.rows("select status from sessions")}
        assert statuses == {"stopped"}
        asked = two.answer("ann", "/forget")
        kept = two.answer("ann", "no")
        assert "erases everything" in asked[0]
        assert "Nothing is erased" in kept[0]
        assert two.rows("select opted_out_at from respondents")[0]["opted_out_at"]


class TestPrivate:
    def test_a_platform_id_stands_in_one_table(self, place: Place, clock: FakeClock) -> None:
        place.join("somebody", channel="slack")
        message = {
            "type": "message",
            "channel_type": "im",
            "channel": "D0SECRET",
            "user": "U0SECRET",
            "ts": "1.1",
            "text": "hello",
        }
        wrote = to_inbound({"team_id": "T1", "event": message}, at=clock())
        assert wrote is not None
        place.take(wrote)
        buttons = {one.label: one.token for one in place.deliver("slack")[0][1].options}
        pressed = to_inbound(
            {
                "type": "block_actions",
                "team": {"id": "T1"},
                "user": {"id": "U0SECRET"},
                "actions": [{"value": buttons["I agree"], "action_id": "p:1", "action_ts": "3.3"}],
                "container": {"message_ts": "2.2", "channel_id": "D0SECRET"},
            },
            at=clock(),
        )
        assert pressed is not None
        place.take(pressed)
        tables = [table.name for table in TABLES]
        holding = {
            table
            for table in tables
            for row in place.rows(f"select * from {table}")
            for value in row.values()
            if isinstance(value, str) and ("U0SECRET" in value or "D0SECRET" in value)
        }
        assert holding == {"addresses"}
