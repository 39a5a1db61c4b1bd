"""The card of a model: up to date, of unseen answers, and silent on nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dialogues.coding import Codeframe, Coding, Stance
from nlp.answers import AnswersError, CodedAnswer, read_answers
from nlp.card import NAME, _channels, _fairness, card, main, stamp
from nlp.codeframe import CODEFRAME_PATH, read_codeframe
from nlp.measure import Found, measure, measure_registers, measure_rewritten
from nlp.model import read_model
from nlp.nearest import DATA_PATH
from nlp.shipped import FAST_PATH, MODEL_PATH
from nlp.slices import REGISTERS
from nlp.tagger import Tagged, ToTag
from nlp.train import train_frozen

SHIPPED = (MODEL_PATH, FAST_PATH)


def coding(key: str, stance: Stance) -> Coding:
    return Coding(
        enabler=key, stance=stance, span_text="", span_start=0, span_end=0, confidence=0.9
    )


class Parrot:
    """Gives ``risk`` as a gap where an answer says "blame" and the question is known."""

    codeframe: Codeframe = read_codeframe()

    def tag(self, answers: Sequence[ToTag]) -> list[Tagged]:
        return [
            Tagged(
                codings=(coding("risk", Stance.GAP),) if a.question and "blame" in a.text else ()
            )
            for a in answers
        ]


def answer(text: str, *codings: Coding, question: str | None = "Why?") -> CodedAnswer:
    return CodedAnswer(
        answer_id=text, text=text, question=question, codings=codings, role="citizen",
        channel="telegram",
    )  # fmt: skip


RISK = coding("risk", Stance.GAP)
NEUTRAL = coding("risk", Stance.NEUTRAL)
ANSWERS = [
    answer("fear of blame", RISK),
    replace(answer("she know who takes the blame", NEUTRAL), role="partner", channel="slack"),
    answer("lawyers have it", RISK, question="What is it?"),
    answer("hello"),
    answer("they blame the weather for it, innit", question=None),
    answer("blame it on the boogie"),
]


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_shipped_card_is_of_its_model_and_of_unseen_answers(folder: Path) -> None:
    """Made anew by ``python -m nlp.card``."""
    model = read_model(folder)
    words = (folder / NAME).read_text(encoding="utf-8")
    files = [DATA_PATH / name for name in model.provenance.chosen_on]
    assert words.splitlines()[0] == stamp(model, files)
    assert not set(model.provenance.chosen_on) & set(model.provenance.files)
    size = sum(part.stat().st_size for part in folder.iterdir() if part.name != NAME) / 1e6
    assert f"\n{size:.0f} MB; runs offline." in words


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_shipped_card_says_what_has_to_be_said(folder: Path) -> None:
    words = (folder / NAME).read_text(encoding="utf-8")
    for heading in ("Data", "Figures", "On which answers", "Fairness", "Known failings",
                    "Not to be used"):  # fmt: skip
        assert f"\n## {heading}\n" in words
    for code in read_model(folder).codeframe.codes:
        assert f"\n| {code.key} | " in words
    for row in ("up to 30 characters", "yes or no", "citizen", *REGISTERS[:2]):
        assert f"\n| {row}" in words
    assert "slack |" in words
    assert "codes found on answers with a cue word" in words
    assert "Apache-2.0" in words


@pytest.mark.soak
@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_shipped_card_has_the_figures_of_its_model(folder: Path) -> None:
    """But for what another processor rounds otherwise."""
    made, kept = card(folder), (folder / NAME).read_text(encoding="utf-8")
    number = re.compile(r"\b\d+(?:\.\d+)?\b")
    assert number.sub("#", made) == number.sub("#", kept)
    for one, other in zip(number.findall(made), number.findall(kept), strict=True):
        near = 0.03 if "." in one else max(3.0, 0.03 * float(one))
        assert abs(float(one) - float(other)) <= near


def test_another_model_is_judged_on_files_that_are_named(tmp_path: Path) -> None:
    model, learnt, file = (tmp_path / name for name in ("model", "learnt.jsonl", "mine.jsonl"))
    ours = (DATA_PATH / "answers-c.jsonl").read_text(encoding="utf-8").splitlines()
    learnt.write_text("\n".join(ours[:60]), encoding="utf-8")
    file.write_text("\n".join(ours[50:80]), encoding="utf-8")
    train_frozen(
        [learnt], codeframe=CODEFRAME_PATH, out=model, name="tea", progress=lambda *_: None,
        base=FAST_PATH,
    )  # fmt: skip
    assert main([str(model), str(file)]) == [model / NAME]
    words = (model / NAME).read_text(encoding="utf-8")
    assert words.splitlines()[0] == stamp(read_model(model), [file])
    assert "`mine.jsonl`" in words
    assert "Linear heads were fitted on it as it is, on 60 coded\nanswers of 1 file," in words
    assert "was tuned on, 10 of them" in words
    # What is the same by role and by channel is there once.
    assert re.search(r"\n\| role, channel \|.*\n.*\n\| citizen, telegram \| \d", words)
    assert "\n| channel |" not in words
    assert "cannot be told from what comes of the other." in words


def test_role_and_channel_stand_apart_where_one_does_not_follow_from_the_other() -> None:
    assert _channels(ANSWERS) == {"citizen": "telegram", "partner": "slack"}
    for other in [
        replace(ANSWERS[0], channel="slack"),
        replace(ANSWERS[0], role="other"),
        replace(ANSWERS[0], channel=None),
    ]:
        assert _channels([*ANSWERS, other]) == {}


def test_without_unseen_answers_there_is_no_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nlp.card._held", lambda _: [])
    with pytest.raises(AnswersError, match="name files of coded answers"):
        card(FAST_PATH)


def test_the_figures_of_a_card() -> None:
    measured = measure(Parrot(), [("one", ANSWERS[:3]), ("two", ANSWERS[3:])])
    assert measured.all.n == 6
    assert measured.all.per_code["risk"].given == 3
    assert (measured.exact, measured.none_right, measured.none_wrong) == (
        Found(n=4, of=6), Found(n=2, of=3), Found(n=1, of=3),
    )  # fmt: skip
    assert measured.neutral == Found(n=0, of=1)
    assert measured.unasked.per_code["risk"].given == 0
    assert [(kind.name, kind.result.n, kind.n_codes) for kind in measured.by_file] == [
        ("one", 3, 3), ("two", 3, 0),
    ]  # fmt: skip
    assert [(kind.name, kind.result.n) for kind in measured.by_role] == [
        ("citizen", 5), ("partner", 1),
    ]  # fmt: skip
    assert [kind.name for kind in measured.by_channel] == ["telegram", "slack"]
    assert {kind.name: kind.result.n for kind in measured.by_length} == {
        "up to 30 characters": 5, "31 to 80": 1,
    }  # fmt: skip
    assert {kind.name: kind.result.n for kind in measured.by_question} == {
        "what": 1, "why": 4, "a topic, or none known": 1,
    }  # fmt: skip
    # "Blame" is a word of the code's definition; the lawyers are not.
    assert (measured.cued, measured.uncued) == (Found(n=2, of=2), Found(n=0, of=1))


def test_the_registers_of_a_card() -> None:
    kinds = {kind.name: kind for kind in measure_registers(Parrot(), ANSWERS)}
    assert [kinds[name].result.n for name in REGISTERS] == [1, 1, 4]
    rewritten = measure_rewritten(Parrot(), ANSWERS)
    assert [kind.name for kind in rewritten] == list(REGISTERS[::-1])
    assert all(kind.result.n == 6 and kind.n_codes == 3 for kind in rewritten)
    assert rewritten[0].result.micro_f1 == measure(Parrot(), [("", ANSWERS)]).all.micro_f1
    said = _fairness(rewritten, [*kinds.values()], [])
    assert f"carry marks of {REGISTERS[0]} (n = 1) or of {REGISTERS[1]} (n = 1) or" in said


def test_role_and_channel_are_read_where_the_line_has_them(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(
        '{"text": "a", "codes": [], "role": "citizen", "channel": "slack"}\n'
        '{"text": "b", "codes": [], "role": 3}\n'
    )
    assert [(each.role, each.channel) for each in read_answers([file], [])] == [
        ("citizen", "slack"), (None, None),
    ]  # fmt: skip
