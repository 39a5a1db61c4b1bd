"""A coder in the chat: whose answers come, in which language, and what changes meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.coders import CoderPlan
from bot.desk import Desk
from dialogues.prompts import Button, Prompt
from nlp.codeframe import read_codeframe
from storage.protocol import Store
from storage.reviewing import Drawing, SampleMode
from tests.bot.place import RIVERSIDE, Place

MAIR = CoderPlan(name="mair", accounts={"telegram": "id-mair", "slack": "id-mairslack"})


@pytest.fixture
def town(place: Place) -> Place:
    """Two people have answered outside any wave, and one of them is a coder."""
    place.set_up(cohorts=(replace(RIVERSIDE, survey_id="small"),))
    house = place.runner.house
    object.__setattr__(house, "coders", (MAIR,))
    object.__setattr__(house, "min_group", 2)
    for name in ["ann", "mair"]:
        place.answer(name, "/start", "yes", "yes", f"Words of {name}.")
    return place


def draw(town: Place, **changes: object) -> None:
    drawing = replace(Drawing(mode=SampleMode.RANDOM, n=9, seed="x"), **changes)  # type: ignore[arg-type]
    town.run(lambda store: store.draw_sample(drawing, sample_id="x", at=town.clock()))


def shown(town: Place) -> Prompt:
    [(_, prompt)] = town.deliver()
    return prompt


def press(town: Place, prompt: Prompt, label: str) -> Prompt:
    [button] = [one for one in (*prompt.options, *prompt.controls) if one.label == label]
    town.press("mair", button.token)
    return shown(town)


def review(town: Place, word: str = "/review") -> Prompt:
    town.write("mair", word)
    return shown(town)


def read_at_a_terminal(town: Place, state: str) -> None:
    """Mair takes up an answer where all are shown, and is perhaps done with it."""

    def job(store: Store) -> None:
        own = tuple(store.known_as("telegram", "id-mair"))
        desk = Desk(
            coder=MAIR.coder_id, sample_id="x", codeframe=read_codeframe(), new_id=town.new_id,
            not_of=own,
        )  # fmt: skip
        current = desk.current(store)
        assert current is not None
        if state == "done":
            desk.finish(store, current, "done", at=town.clock())

    town.run(job)


def test_a_coder_is_shown_no_words_of_their_own(town: Place) -> None:
    draw(town)
    prompt = review(town)
    assert "(1 to go)" in prompt.text
    assert "“Words of ann.”" in prompt.text
    # Nothing of who wrote, and no id but those of the review in the buttons.
    for row in town.rows("select * from addresses union all select * from addresses"):
        assert str(row["respondent_id"]) not in prompt.text
    prompt = press(town, prompt, "✓ Done")
    assert prompt.text == "Nothing is left for you to read. Thank you."


def test_words_of_a_small_group_are_not_shown_in_a_chat(town: Place) -> None:
    object.__setattr__(town.runner.house, "min_group", 3)
    draw(town)
    assert review(town) == Prompt(text="Nothing is left for you to read. Thank you.")


@pytest.mark.parametrize("state", ["begun", "done"])
def test_what_was_read_at_a_terminal_of_a_small_group_stays_there(town: Place, state: str) -> None:
    object.__setattr__(town.runner.house, "min_group", 3)
    draw(town)
    read_at_a_terminal(town, state)
    assert review(town) == Prompt(text="Nothing is left for you to read. Thank you.")
    town.press("mair", "review.u.x-none-x")
    assert shown(town).text.startswith("Nothing is left")
    assert len(town.rows("select * from reviews")) == (state == "done")


def test_without_a_sample_there_is_nothing_to_read(town: Place) -> None:
    assert review(town) == Prompt(text="Nothing is left for you to read. Thank you.")


@pytest.mark.parametrize("left", [True, False])
def test_asked_again_the_words_stand_in_the_chat_once(town: Place, left: bool) -> None:
    draw(town)
    first = review(town)
    if not left:
        read_at_a_terminal(town, "done")
    town.write("mair", "/review")
    [(_, old), (_, new)] = town.deliver()
    assert old == Prompt(text="It goes on below.")
    assert new == (first if left else Prompt(text="Nothing is left for you to read. Thank you."))


def test_in_welsh_on_another_platform(town: Place) -> None:
    draw(town, blind=True)
    town.join("mairslack", channel="slack")
    town.run(lambda store: store.set_language("mairslack", "cy"))
    town.write("mairslack", "adolygu", channel="slack")
    [(_, prompt)] = town.deliver("slack")
    assert prompt.text.startswith(
        "Ateb i'w ddarllen (1 i fynd), yn ddall: dydy tagiau neb yn cael eu dangos."
    )
    assert [one.label for one in prompt.controls] == [
        "✓ Wedi gorffen",
        "Ychwanegu",
        "Dadwneud",
        "Hepgor",
    ]


def test_two_accounts_are_one_coder(town: Place) -> None:
    draw(town)
    assert "1 to go" in review(town).text
    town.join("mairslack", channel="slack")
    town.write("mairslack", "review", channel="slack")
    [(_, prompt)] = town.deliver("slack")
    # Also her own answer on Telegram stays away from her in Slack.
    assert "“Words of ann.”" in prompt.text
    town.press("mairslack", prompt.controls[0].token, channel="slack")
    [(_, prompt)] = town.deliver("slack")
    assert "Nothing is left" in prompt.text
    assert town.rows("select coder, state from reviews") == [
        {"coder": "coder:mair", "state": "done"}
    ]


def test_a_press_changes_the_message_on_its_own_platform(town: Place) -> None:
    draw(town)
    prompt = review(town)
    [message] = town.rows("select position from outbox where session_id like 'review:%'")
    town.join("mairslack", channel="slack")
    town.write("mairslack", "review", channel="slack")
    assert len(town.deliver("slack")) == 1
    town.press("mair", prompt.controls[1].token)
    [answer] = town.run(lambda store: town.claim(store, "telegram"))
    assert answer.replaces == message["position"]


def test_words_that_change_are_shown_anew(town: Place) -> None:
    draw(town)
    prompt = review(town)
    done = prompt.controls[0]
    town.edit("ann", town.said["ann"], "Other words.")
    town.deliver()
    town.press("mair", done.token)
    prompt = shown(town)
    assert prompt.text.startswith("These words were changed or erased meanwhile.")
    assert "“Other words.”" in prompt.text
    assert town.rows("select * from reviews") == []
    # The button of then still does nothing.
    town.press("mair", done.token)
    assert "“Other words.”" in shown(town).text
    assert town.rows("select * from reviews") == []


@pytest.mark.parametrize("meanwhile", ["nothing", "changed", "read elsewhere", "on its way"])
def test_words_that_are_erased_are_gone_from_the_outbox_too(town: Place, meanwhile: str) -> None:
    draw(town)
    town.write("mair", "/review")
    assert "Words of ann" in town.rows("select body from outbox where state = 'pending'")[0]["body"]
    [ann] = town.rows("select respondent_id from responses where response_id in"
                      " (select response_id from review_drafts)")  # fmt: skip
    if meanwhile == "changed":
        town.edit("ann", town.said["ann"], "Other words.")
    elif meanwhile == "read elsewhere":
        read_at_a_terminal(town, "done")
    elif meanwhile == "on its way":
        town.run(lambda store: town.claim(store, "telegram"))

    def job(store: Store) -> None:
        store.erase(
            ann["respondent_id"], at=town.clock(), erasure_id="e", actor="test", farewell=None,
            leaving_id="x",
        )  # fmt: skip

    town.run(job)
    assert town.rows("select * from outbox where body like '%ords of ann%'") == []
    # Whoever was sending it has died.
    town.clock.pass_(hours=1)
    assert town.deliver() == []
    assert review(town).text.startswith("Nothing is left for you to read. Thank you.")


def test_what_a_coder_types_meanwhile_is_still_their_own_answer(town: Place) -> None:
    draw(town)
    town.answer("mair", "/start", "yes")
    review(town)
    town.write("mair", "It goes well, I review things.")
    assert town.rows("select text from answers where text like 'It goes%'") != []


def test_to_take_back_where_there_is_nothing_says_so(town: Place) -> None:
    draw(town)
    prompt = press(town, review(town), "Undo")
    assert prompt.text.startswith("There is nothing to take back.")


@pytest.mark.parametrize("token", ["review.d.x-none", "review.d.y-z-1", "review.u.x-none-x",
                                   "review.k.x-z-0-1", "review.q.q"])  # fmt: skip
def test_odd_buttons_do_no_harm(town: Place, token: str) -> None:
    draw(town)
    review(town)
    town.press("mair", Button(label="?", token=token).token)
    assert len(town.deliver()) == 1
    assert town.rows("select * from reviews") == []


def test_the_word_of_somebody_else_is_an_answer_like_any_other(town: Place) -> None:
    draw(town)
    town.answer("ann", "/start", "yes")
    town.press("ann", "review.d.x-none")
    assert town.texts()["ann"] == ["That question is closed."]
    town.write("ann", "review")
    assert "review" in [row["text"] for row in town.rows("select text from answers")]
    assert town.rows("select * from review_drafts") == []


def test_help_tells_coders_of_review_and_nobody_else(town: Place) -> None:
    helped = {}
    for name in ["ann", "mair"]:
        town.write(name, "/help")
        helped[name] = [prompt.text for _, prompt in town.deliver()]
    told = "As a coder you can also send /review – read answers and check their tags."
    assert helped["mair"] == [*helped["ann"], told]


@pytest.mark.parametrize(("language", "word"), [("en", "review"), ("cy", "adolygu")])
def test_help_tells_coders_who_take_no_part_in_their_language(
    town: Place, language: str, word: str
) -> None:
    town.join("mairslack", channel="slack")
    town.run(lambda store: store.set_language("mairslack", language))
    town.write("mairslack", "help", channel="slack")
    *_, (_, told) = town.deliver("slack")
    assert f" {word} – " in told.text
    draw(town)
    town.write("mairslack", word, channel="slack")
    [(_, prompt)] = town.deliver("slack")
    assert "“Words of" in prompt.text
