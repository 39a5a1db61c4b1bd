"""``pulse train --update``: what was reviewed is folded into a model.

What lives here: reviewed answers out of the store, and what is said of the new model. What must
not: learning and judging (``nlp/update.py``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bot.cli import settings
from bot.errors import CannotError, UserError
from dialogues.coding import Coding, Said
from dialogues.errors import TaggerError

if TYPE_CHECKING:
    from nlp.update import ReviewedAnswer, Update
    from storage.protocol import Store
    from storage.reviewing import MemberCheck, Reviewed

__all__ = ["reviewed_answers", "update_from_store"]

_OUT = Path("model-updated")


def update_from_store(
    model: str | None, out: Path | None, *, with_respondents: bool, seed: int, as_json: bool
) -> None:
    """Fold the reviewed answers of the store into a model.

    Args:
        model: ``default``, ``fast`` or a folder; None for the configured one.
        out: The folder to write; None for ``model-updated``.
        with_respondents: Whether what people said of their own words teaches too.
        seed: Of folds and bootstrap.
        as_json: Whether a program reads what is said.
    """
    from bot.cli.tagging import bar
    from nlp.model import ModelError, read_model
    from nlp.shipped import is_shipped, model_folder
    from nlp.update import WorseError, update_model
    from storage.open import open_reader

    known = settings()
    base = known.model if model is None else model_folder(model)
    folder = out or _OUT
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: is a file; give a directory for --out")
    if folder.resolve() == base.resolve():
        raise UserError(f"{folder}: is the model that is updated; give another folder for --out")
    try:
        codes = {code.key for code in read_model(base).codeframe.codes}
    except ModelError as error:
        theirs = model is not None and not is_shipped(model)
        raise (UserError if theirs else CannotError)(str(error)) from error
    store = open_reader(known.storage.url)
    try:
        reviewed = reviewed_answers(store, codes, with_respondents=with_respondents)
    finally:
        store.close()
    try:
        with bar() as progress:
            update = update_model(reviewed, base=base, out=folder, progress=progress, seed=seed)
    except WorseError as worse:
        _show(worse.update, folder, as_json=as_json)
        raise CannotError(f"{worse}.") from worse
    except TaggerError as error:
        raise CannotError(f"{error}.") from error
    except OSError as error:
        raise CannotError(f"{folder}: cannot be written ({error.strerror})") from error
    _show(update, folder, as_json=as_json)


def reviewed_answers(
    store: Store, codes: set[str], *, with_respondents: bool
) -> list[ReviewedAnswer]:
    """Give each reviewed answer once, with what the coder says who read it last.

    What chance drew is so in whichever sample it was read: who had read it for another reason
    is not given it again, and without those the others would be no random sample.

    Args:
        store: Where they are kept.
        codes: Those of the model; others are left out.
        with_respondents: Whether answers count that only their own people spoke of.
    """
    from storage.reviewing import SampleMode

    by_chance = {
        (one.response_id, one.question_id)
        for sample in store.samples()
        if sample.drawing.mode is SampleMode.RANDOM
        for one in store.reviewed(sample_id=sample.sample_id)
    }
    found = []
    read = set()
    for one in store.reviewed():
        done = [review for review in one.reviews if review.state == "done"]
        if done:
            ids = one.response_id, one.question_id
            read.add(ids)
            last = max(done, key=lambda review: (review.reviewed_at, review.coder))
            is_random = ids in by_chance
            found.append(_reviewed(one, one.given_by(last.coder), codes, is_random=is_random))
    if with_respondents:
        found += [
            _checked(check, codes)
            for check in store.member_checks()
            if (check.response_id, check.question_id) not in read
        ]
    return found


def _reviewed(
    one: Reviewed | MemberCheck,
    codings: tuple[Coding, ...],
    codes: set[str],
    *,
    is_random: bool,
    known: frozenset[str] | None = None,
) -> ReviewedAnswer:
    from nlp.answers import CodedAnswer
    from nlp.update import ReviewedAnswer

    return ReviewedAnswer(
        answer=CodedAnswer(
            answer_id=f"{one.response_id}/{one.question_id}",
            text=one.text,
            question=one.question or None,
            codings=tuple(coding for coding in codings if coding.enabler in codes),
        ),
        is_random=is_random,
        known=known,
    )


def _checked(check: MemberCheck, codes: set[str]) -> ReviewedAnswer:
    """Give what somebody said of their own words; of codes that they were not asked of, nothing."""
    held = tuple(one.coding for one in check.codings if one.status is Said.CONFIRMED)
    spoken = frozenset(one.coding.enabler for one in check.codings)
    return _reviewed(check, held, codes, is_random=False, known=spoken)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _as_json(update: Update, folder: Path) -> dict[str, Any]:
    return {
        "model": None if update.model is None else update.model.version,
        "base": update.base,
        "out": None if update.model is None else str(folder),
        "n_learnt": update.n_learnt,
        "n_kept_out": update.n_kept_out,
        "macro_f1": {
            "before": _rounded(update.before),
            "after": _rounded(update.after),
            "difference_low": _rounded(update.low),
            "difference_high": _rounded(update.high),
        },
        "log_loss": {
            "before": _rounded(update.loss_before),
            "after": _rounded(update.loss_after),
        },
        "per_code": {
            key: {
                "n": change.n,
                "before": _rounded(change.before),
                "after": _rounded(change.after),
            }
            for key, change in update.per_code.items()
        },
    }


def _show(update: Update, folder: Path, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_as_json(update, folder)))
        return
    from rich.console import Console
    from rich.table import Table

    def shown(value: float | None) -> str:
        return "–" if value is None else f"{value:.2f}"

    table = Table(
        title=f"On {update.n_kept_out} reviewed answers that were kept out", title_justify="left"
    )
    table.add_column("code")
    for heading in ("people", "F1 before", "F1 after"):
        table.add_column(heading, justify="right")
    for key, change in update.per_code.items():
        table.add_row(key, str(change.n), shown(change.before), shown(change.after))
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"Macro F1 over codes that people gave: {update.before:.3f} before, {update.after:.3f} "
        f"after; the difference is between {update.low:+.3f} and {update.high:+.3f} (95%).\n"
        f"Log loss: {update.loss_before:.4f} before, {update.loss_after:.4f} after; less is better."
    )
    if update.model is not None:
        console.print(
            f"{update.model.version}: {update.base} with {update.n_learnt} reviewed answers, in "
            f"{folder}.\nLet it read what is kept: pulse tag --retag --model {folder}",
            soft_wrap=True,
        )
