"""What was heard in a conversation: each free-text answer with its tags, for a terminal.

What lives here: reading one response's answers with the tagger, saving the codings as
``pulse run`` would, and writing them out in words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path

from bot.app import new_id, now
from dialogues import messages
from dialogues.coding import Codeframe, Coding
from storage.protocol import Store, UntaggedAnswer
from storage.writer import Writer

__all__ = ["hear"]


async def hear(
    writer: Writer,
    response_id: str,
    *,
    model: Path | None,
    language: str,
    asked: Collection[str] = (),
) -> list[str]:
    """Tag the open answers of a response, save the codings and say what was heard.

    Args:
        writer: The store's own thread.
        response_id: Of the response.
        model: A tagger's folder; None for the shipped one.
        language: In which to say it.
        asked: Questions of which it is not said where something was heard: it is asked.

    Returns:
        Lines to print; one that says so when nothing was written in words.
    """
    answers = await writer.run(lambda store: _unread(store, response_id))
    lines = []
    if not answers:
        return ["", messages.say("heard_no_text", language)]
    found, codeframe, version = await asyncio.to_thread(_tag, answers, model)

    def save(store: Store) -> None:
        for answer, codings, error in found:
            store.save_codings(
                answer,
                codings,
                coding_ids=[new_id() for _ in codings],
                coder=version,
                at=now(),
                error=error,
            )

    await writer.run(save)
    for answer, codings, _ in found:
        if codings and answer.question_id in asked:
            continue
        lines += ["", f"“{answer.text}”"]
        lines += [f"  {_line(coding, codeframe, language)}" for coding in codings]
        if not codings:
            lines.append(f"  {messages.say('heard_none', language)}")
    return ["", messages.say("heard_header", language), *lines] if lines else []


def _unread(store: Store, response_id: str) -> list[UntaggedAnswer]:
    return [
        answer for answer in store.untagged("", limit=10_000) if answer.response_id == response_id
    ]


def _tag(
    answers: list[UntaggedAnswer], model: Path | None
) -> tuple[list[tuple[UntaggedAnswer, tuple[Coding, ...], str | None]], Codeframe, str]:
    from nlp.load import load_tagger
    from nlp.tagger import ToTag

    tagger = load_tagger(model or "default")
    tagged = tagger.tag(
        [
            ToTag(text=answer.text, question=answer.question, language=answer.language)
            for answer in answers
        ]
    )
    found = [(answer, one.codings, one.error) for answer, one in zip(answers, tagged, strict=True)]
    return found, tagger.codeframe, tagger.version


def _line(coding: Coding, codeframe: Codeframe, language: str) -> str:
    try:
        names = codeframe.code(coding.enabler).name
    except KeyError:
        names = {}
    return messages.say(
        "heard_line",
        language,
        enabler=names.get(language) or names.get("en") or coding.enabler,
        stance=messages.say(f"stance_{coding.stance or 'neutral'}", language),
        evidence=coding.span_text,
    )
