"""The codebook and the README of an export, for people: Markdown.

What lives here: the same content as ``codebook.json`` as pages. What must not: anything
that is not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dialogues.text import ANY_LANGUAGE
from storage.exports.folder import MARK

__all__ = ["codebook_page", "readme_page"]

_FILES = {
    "answers": "one row for every question that was put to somebody, also those without an answer",
    "codes": "one row for every code that a model or a person put on an answer",
    "responses": "one row for every response, one column for every question",
    "invitations": "one row for every invitation and how it ended, for response rates",
    "dispositions": "one row for every step in the history of an invitation",
    "samples": "one row for every answer that was drawn to be read by people, with how likely",
    "reviews": "one row for every answer and person who has read it",
}


def _cell(words: object) -> str:
    return " ".join(str(words).split()).replace("|", "\\|")


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(_cell(cell) for cell in row) + " |"
    yield ""


def _quoted(name: str, words: Mapping[str, str]) -> Iterator[str]:
    for language, text in words.items():
        yield f"{name}{'' if language == ANY_LANGUAGE else f' ({language})'}:"
        yield ""
        yield from (f"> {line}".rstrip() for line in text.strip().splitlines())
        yield ""


def codebook_page(book: Mapping[str, Any]) -> str:
    """Write the codebook for people."""
    return "\n".join(_codebook(book)).rstrip() + "\n"


def _codebook(book: Mapping[str, Any]) -> Iterator[str]:
    yield "# Codebook"
    yield ""
    yield f"{_made(book)} The same for machines: `codebook.json`."
    yield ""
    for file in book["files"]:
        yield f"## {file['file']}"
        yield ""
        yield f"{_about(file['file'])} Rows: {file['rows']}."
        yield ""
        yield from _table(
            ("column", "holds", "kind"),
            (
                (f"`{column['name']}`", column["label"], column["kind"])
                for column in file["columns"]
            ),
        )
    yield "## Missing reasons"
    yield ""
    yield from _table(
        ("reason", "means"), ((f"`{reason}`", words) for reason, words in book["missing"].items())
    )
    yield "## States of an invitation"
    yield ""
    yield from _table(
        ("state", "disposition", "means"),
        ((f"`{one['state']}`", one["disposition"], one["means"]) for one in book["states"]),
    )
    yield from _table(
        ("reason", "means"), ((f"`{one}`", words) for one, words in book["reasons"].items())
    )
    yield "## Values and derivations"
    yield ""
    yield from _table(("what", "how"), book["derivations"].items())
    for survey in book["surveys"]:
        yield from _survey(survey)
    if book["waves"]:
        yield "## Waves"
        yield ""
        yield from _table(
            ("survey", "wave", "responses"),
            (
                (one["survey"], one["wave"] or "(open check-in)", one["n_responses"])
                for one in book["waves"]
            ),
        )
    yield from _draws(book["draws"])
    yield from _codeframe(book["codeframe"])
    if book["coders"]:
        yield "## Coders"
        yield ""
        yield from _table(
            ("coder", "codings"), ((one["coder"], one["n_codings"]) for one in book["coders"])
        )


def _draws(draws: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not draws:
        return
    yield "## Planned missingness"
    yield ""
    yield from _table(
        ("wave", "questions for each person", "draw", "seed", "how often each was drawn"),
        (
            (
                f"`{one['wave']}`",
                f"{one['questions_per_person']} of {len(one['pool'])}",
                one["way"],
                f"`{one['seed']}`" if one["seed"] else "not kept",
                ", ".join(f"{name} {n}" for name, n in one["n_drawn"].items()) or "not kept",
            )
            for one in draws
        ),
    )


def _about(file: str) -> str:
    words = _FILES[file.split(".")[0]]
    return words[0].upper() + words[1:] + "."


def _survey(survey: Mapping[str, Any]) -> Iterator[str]:
    yield f"## Survey {survey['survey']}, revision {survey['revision']}"
    yield ""
    yield " / ".join(dict.fromkeys(survey["title"].values()))
    yield ""
    responses = ", ".join(f"{n} {name}" for name, n in survey["n_responses"].items())
    yield f"* Anonymity: {survey['anonymity']}"
    yield f"* Languages: {', '.join(survey['languages'])}"
    yield f"* Responses: {responses or 'none'}"
    yield ""
    for name, key in (
        ("Intro", "intro"),
        ("Consent", "consent"),
        ("The whole consent, on request", "consent_more"),
        ("Thanks", "thanks"),
    ):
        yield from _quoted(name, survey[key])
    for number, question in enumerate(survey["questions"], start=1):
        yield from _question(number, question)


def _question(number: int, question: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {number}. `{question['question_id']}` ({question['kind']})"
    yield ""
    yield from _quoted("Question", question["text"])
    facts = [f"Asked of: {question['universe']}"]
    if question["pipes"]:
        facts.append(f"Shows the answer to: {', '.join(question['pipes'])}")
    if question["enabler"]:
        facts.append(f"Enabler: {question['enabler']}")
    if question["drawn_with"] == [question["question_id"]]:
        facts.append("In the pool: where each person is asked a few, drawn for some")
    elif question["drawn_with"]:
        facts.append(f"Drawn with: {', '.join(question['drawn_with'])}")
    if question.get("reversed"):
        facts.append("Reversed: agreeing is the bad news; turn it round when you score")
    if question["dont_know"]:
        facts.append("Offers “Don't know”")
    if question["required"]:
        facts.append("Cannot be skipped")
    facts += _limits(question)
    missing = ", ".join(f"{n} {reason}" for reason, n in question["n_missing"].items())
    facts.append(f"n = {question['n_answered']} answered" + (f"; {missing}" if missing else ""))
    yield from (f"* {fact}" for fact in facts)
    yield ""
    if question["values"]:
        languages = list(question["values"][0]["label"])
        yield from _table(
            ("value", *languages),
            (
                (f"`{one['value']}`", *(one["label"][language] for language in languages))
                for one in question["values"]
            ),
        )


def _limits(question: Mapping[str, Any]) -> list[str]:
    limits = []
    if question.get("min") is not None:
        limits.append(f"At least {question['min']:g}")
    if question.get("max") is not None:
        limits.append(f"At most {question['max']:g}")
    if question.get("unit"):
        limits.append("Unit: " + " / ".join(dict.fromkeys(question["unit"].values())))
    if "max_choices" in question:
        limits.append(f"Choose {question['min_choices']} to {question['max_choices']}")
    return limits


def _codeframe(frame: Mapping[str, Any]) -> Iterator[str]:
    yield f"## Codeframe {frame['codeframe']}, version {frame['version']}"
    yield ""
    names = {strand["key"]: strand["name"] for strand in frame["strands"]}
    for key in (*names, None):
        codes = [code for code in frame["codes"] if code["strand"] == key]
        if key is not None:
            yield f"### Strand `{key}`: {' / '.join(names[key].values())}"
            yield ""
        for code in codes:
            yield f"* `{code['key']}`: {' / '.join(code['name'].values())}"
            for language, words in code["definition"].items():
                yield f"  * {language}: {_cell(words)}"
            for language, words in code["not_when"].items():
                yield f"  * {language}, not when: {_cell(words)}"
        if codes:
            yield ""


def readme_page(book: Mapping[str, Any], checksums: Mapping[str, str]) -> str:
    """Write the README.

    Args:
        book: The codebook.
        checksums: SHA-256 of every other file of the folder.
    """
    return "\n".join(_readme(book, checksums)).rstrip() + "\n"


def _made(book: Mapping[str, Any]) -> str:
    mark = book[MARK]
    kept = [f"{key} {mark[key]}" for key in ("survey", "wave") if mark[key]]
    only = f" Only {' and '.join(kept)}." if kept else ""
    return f"Exported {mark['made_at']} by Commonpulse {mark['version']}.{only}"


def _readme(book: Mapping[str, Any], checksums: Mapping[str, str]) -> Iterator[str]:
    responses = sum(n for one in book["surveys"] for n in one["n_responses"].values())
    yield "# Commonpulse export"
    yield ""
    yield _made(book)
    yield ""
    yield f"Responses: {responses}. Everything here is of one moment."
    yield ""
    yield from _table(
        ("file", "what it is", "rows"),
        (
            *((f"`{one['file']}`", _about(one["file"]), one["rows"]) for one in book["files"]),
            ("`codebook.md`", "What every column, question, value and code means.", ""),
            ("`codebook.json`", "The same for machines.", ""),
        ),
    )
    yield (
        "Rows join on `response_id`, and on `question_id`; people on `respondent`, invitations on"
        " `invitation_id`."
    )
    yield "Text is UTF-8, instants are UTC as ISO 8601; an empty cell, or null, holds nothing."
    yield ""
    if book["surveys"]:
        yield from _table(
            ("survey", "revision", "anonymity", "responses"),
            (
                (
                    one["survey"],
                    one["revision"],
                    one["anonymity"],
                    ", ".join(f"{n} {name}" for name, n in one["n_responses"].items()) or "none",
                )
                for one in book["surveys"]
            ),
        )
    yield "## Care"
    yield ""
    yield (
        "These are people's own words, given under the consent that `codebook.md` prints. They"
        " may name or show people: keep the folder where only those can read it whom the consent"
        " speaks of, publish nothing about fewer people than it promises, and export again (and"
        " delete this) when somebody asked to be forgotten. No licence comes with it: whoever"
        " runs the survey decides who may use it, and for what."
    )
    yield ""
    yield "## Checksums"
    yield ""
    yield from _table(
        ("file", "SHA-256"), ((f"`{name}`", f"`{digest}`") for name, digest in checksums.items())
    )
