"""``pulse reply``: what organisers answer to those who wrote of something."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot.cli import settings
from bot.errors import CannotError, UserError

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.house import House
    from bot.notes import Plan
    from dialogues.coding import Codeframe
    from storage.protocol import Note, Store, Wave

__all__ = ["reply"]

_T = TypeVar("_T")

#: Characters of a note: a message that is read on a phone.
_LONGEST = 1_500

_KEYS = ("enabler", "cohort", "stance", "waves", "text", "by")
_STANCES = ("gap", "strength")


@dataclass(slots=True, kw_only=True)
class _Draft:
    """What is to be answered, as far as it was said."""

    enabler: str = ""
    cohort: str = ""
    stance: str | None = None
    waves: list[str] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    by: str = ""


def reply(
    enabler: Annotated[
        str,
        typer.Argument(
            help="Key of an enabler, such as resources; or list, for the replies so far."
        ),
    ] = "",
    cohort: Annotated[
        str, typer.Option("--cohort", metavar="NAME", help="Whose answers it is about.")
    ] = "",
    wave: Annotated[
        list[str] | None,
        typer.Option(
            "--wave",
            metavar="ID",
            help="A closed wave, may be repeated; else the newest in which it was named.",
        ),
    ] = None,
    stance: Annotated[
        str,
        typer.Option("--stance", help="Only who named it as gap or as strength; else both."),
    ] = "",
    text: Annotated[str, typer.Option("--text", help="What you did about it.")] = "",
    text_cy: Annotated[
        str, typer.Option("--text-cy", help="The same in Welsh, for who speaks that.")
    ] = "",
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", metavar="FILE", help="TOML with text, and what else is not given here."
        ),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", metavar="NAME", help="Who answers; else your name here.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it and send nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For a program to read.")] = False,
) -> None:
    """Tell the people whose words named something what you did about it: you said, we did.

    `pulse run` sends it, out of everybody's quiet hours. Nobody learns who gets it, and of
    fewer people than results.min_group not even how many. Nobody is quoted. Of an anonymous
    survey nobody knows who wrote what: then all who were invited are told.
    """
    known = settings()
    if enabler == "list":
        _list_replies(known, as_json=as_json)
        return
    draft = _Draft() if file is None else _read(file)
    draft.enabler = enabler or draft.enabler
    draft.cohort = cohort or draft.cohort
    draft.stance = stance or draft.stance
    draft.waves = wave or draft.waves
    draft.words |= {language: words for language, words in (("*", text), ("cy", text_cy)) if words}
    draft.by = by or draft.by or _user()
    _Desk(known).answer(draft, dry_run=dry_run, as_json=as_json)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _read(file: Path) -> _Draft:
    """Read a note from a file.

    Raises:
        UserError: It has a mistake; with file, line and key.
    """
    from bot.findings import refuse, syntax_errors
    from bot.toml_source import read_toml
    from dialogues.expectations import unknown_key

    source = read_toml(file)
    refuse(syntax_errors(source))

    def fail(key: str, expected: str) -> UserError:
        return UserError(f"{file}:{source.line_of((key,))}: {key}: {expected}")

    draft = _Draft()
    for key, value in source.data.items():
        if key not in _KEYS:
            raise fail(key, unknown_key(key, _KEYS))
        if key == "text":
            draft.words = _words(value, fail)
        elif key == "waves":
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                raise fail(
                    key, 'expected a list of waves, such as ["monthly-riverside-2026-12-01"]'
                )
            draft.waves = value
        elif not isinstance(value, str):
            raise fail(key, "expected text in quotes")
        else:
            setattr(draft, key, value)
    return draft


def _words(value: Any, fail: Callable[[str, str], UserError]) -> dict[str, str]:
    words = {"*": value} if isinstance(value, str) else value
    if not isinstance(words, dict) or not all(isinstance(one, str) for one in words.values()):
        raise fail("text", 'expected text, or a table of languages such as { en = "..." }')
    return dict(words)


class _Desk:
    """Checks a note and keeps it."""

    def __init__(self, known: Settings) -> None:
        from bot.app import house_of
        from nlp.codeframe import CODEFRAME_PATH, read_codeframe

        self.known = known
        self.house: House = house_of(known)
        self.codeframe: Codeframe = read_codeframe(known.codeframe or CODEFRAME_PATH)

    def answer(self, draft: _Draft, *, dry_run: bool, as_json: bool) -> None:
        """Send a note, or show it."""
        from bot.app import new_id, now
        from storage.open import open_writer
        from storage.protocol import Note

        self.check(draft)
        writer = open_writer(self.known.storage.url, connections=1)

        def run(job: Callable[[Store], _T]) -> _T:
            return writer.submit(job).result()

        try:
            self.check_waves(draft, run(lambda store: store.waves()))
            plan = run(lambda store: self.plan(store, draft))
            kept = Note(
                note_id=new_id(),
                cohort=draft.cohort,
                enabler=draft.enabler,
                stance=draft.stance,
                waves=tuple(one.wave_id for one in plan.waves),
                words=draft.words,
                author=draft.by,
                people=plan.people,
                made_at=now(),
            )
            texts = run(lambda store: self.texts(store, kept, plan))
            if not dry_run:
                run(methodcaller("keep_note", kept))
        finally:
            writer.close()
        if as_json:
            shown = {**_described(kept), "to_all_invited": plan.to_all, "sent": not dry_run}
            typer.echo(json.dumps({**shown, "messages": texts}, ensure_ascii=False))
            return
        for language, text in texts.items():
            typer.echo(f"--- {language}\n{text}")
        typer.echo(f"---\n{_who(plan, draft)}")
        if dry_run:
            typer.echo("Nothing was sent: leave out --dry-run to send it.")
        else:
            typer.echo("`pulse run` sends it.")

    def check(self, draft: _Draft) -> None:
        """Refuse what cannot be, before anything is opened."""
        codes = [code.key for code in self.codeframe.codes]
        if not draft.enabler:
            raise UserError(f"Say which enabler it is about: {', '.join(codes)}.")
        if draft.enabler not in codes:
            near = get_close_matches(draft.enabler, codes, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(codes)}."
            raise UserError(f"There is no enabler {draft.enabler!r}; {hint}")
        cohorts = [one.name for one in self.house.cohorts]
        if draft.cohort not in cohorts:
            listed = ", ".join(cohorts) or "none"
            asked = (
                f"There is no cohort {draft.cohort!r}" if draft.cohort else "--cohort is missing"
            )
            raise UserError(f"{asked}; the configuration has: {listed}.")
        if draft.stance is not None and draft.stance not in _STANCES:
            raise UserError(f"--stance is gap or strength, not {draft.stance!r}.")
        draft.words = {language: words.strip() for language, words in draft.words.items()}
        if not any(draft.words.values()):
            raise UserError('Say what you did about it: --text "..." or --file FILE.')
        for language, words in draft.words.items():
            if not words:
                raise UserError(f"The text in {language} is empty; leave it out.")
            if len(words) > _LONGEST:
                raise UserError(
                    f"The text is {len(words)} characters long; at most {_LONGEST} are read on"
                    " a phone."
                )

    def check_waves(self, draft: _Draft, waves: list[Wave]) -> None:
        """Refuse waves that are not closed or of another cohort."""
        known = {one.wave_id: one for one in waves}
        for wave_id in draft.waves:
            wave = known.get(wave_id)
            if wave is None or wave.cohort != draft.cohort:
                raise UserError(
                    f"There is no wave {wave_id!r} of {draft.cohort}; `pulse wave list` shows them."
                )
            if wave.state != "closed":
                raise CannotError(f"{wave_id} is {wave.state}: people are still answering it.")

    def plan(self, store: Store, draft: _Draft) -> Plan:
        """Find whom it goes to."""
        from bot.notes import plan_note

        return plan_note(
            store,
            cohort=draft.cohort,
            enabler=draft.enabler,
            stance=draft.stance,
            wave_ids=draft.waves,
            least=self.house.min_group,
        )

    def texts(self, store: Store, kept: Note, plan: Plan) -> dict[str, str]:
        """Give the message about the newest wave in every language that it is written in."""
        from bot.notes import ANY, text_of

        wave = plan.waves[0]
        survey = store.survey(wave.survey_id, wave.revision)
        if survey is None:
            raise LookupError("the survey of a wave is not kept")
        return {
            survey.default_language if language == ANY else language: text_of(
                kept.words,
                enabler=kept.enabler,
                wave=wave,
                survey=survey,
                house=self.house,
                codeframe=self.codeframe,
                language=language,
                now=kept.made_at,
            )
            for language in kept.words
        }


def _who(plan: Plan, draft: _Draft) -> str:
    waves = ", ".join(one.wave_id for one in plan.waves)
    if plan.to_all:
        return (
            f"To {plan.people} people: an anonymous survey does not tell who wrote of it, so"
            f" everybody who was invited is told ({waves})."
        )
    meant = draft.enabler if draft.stance is None else f"{draft.enabler} as a {draft.stance}"
    return f"To {plan.people} people who named {meant} in {waves}."


def _list_replies(known: Settings, *, as_json: bool) -> None:
    from storage.open import open_reader

    store = open_reader(known.storage.url)
    try:
        notes = store.notes()
    finally:
        store.close()
    if as_json:
        rows = [{**_described(one), "sent": one.told_after is None} for one in notes]
        typer.echo(json.dumps(rows, ensure_ascii=False))
    elif not notes:
        typer.echo("There has been no reply yet.")
    for one in [] if as_json else notes:
        meant = one.enabler if one.stance is None else f"{one.enabler} ({one.stance})"
        going = "" if one.told_after is None else ", being sent"
        made_at, author = one.made_at.isoformat(" ", "minutes"), one.author or "?"
        typer.echo(f"{made_at}  {one.cohort}  {meant}  by {author}  to {one.people} people{going}")
        typer.echo(f"  {_first_line(one.words)}")


def _first_line(words: Mapping[str, str]) -> str:
    line = next(iter(words.values()), "").splitlines()[0]
    return line if len(line) <= 100 else f"{line[:99]}…"


def _described(one: Note) -> dict[str, Any]:
    return {
        "reply": one.note_id,
        "cohort": one.cohort,
        "enabler": one.enabler,
        "stance": one.stance,
        "waves": list(one.waves),
        "people": one.people,
        "by": one.author,
        "made_at": one.made_at.isoformat(timespec="seconds"),
        "text": dict(one.words),
    }
