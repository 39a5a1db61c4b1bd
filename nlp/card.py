"""The card of a model: what it is made of, how good it is and at what, what it is not for.

``python -m nlp.card [DIR [FILE...]]`` writes ``README.md`` into a model's directory. The figures
are made anew, on files that the model did not learn from: those on which its thresholds were
chosen, or those that are named. Without arguments: of the models that ship.

What must not be here: figures (``measure.py``), or any that were typed.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from nlp.answers import AnswersError, CodedAnswer, read_answers
from nlp.evaluate import Evaluation
from nlp.load import load_tagger
from nlp.measure import Found, Kind, Measured, measure, measure_registers, measure_rewritten
from nlp.model import Model, read_model, seen
from nlp.nearest import DATA_PATH
from nlp.shipped import FAST_PATH, MODEL_PATH
from nlp.slices import PLAIN, REGISTERS, register_of

__all__ = ["NAME", "card", "main", "stamp", "write_card"]

NAME = "README.md"

_WEAK = 0.65
_FEW = 30
_EVERY = 20
"""Of what the model learnt from, one answer in so many without a mark of register is measured."""

_AS_WRITTEN = {PLAIN: "as written"}

_NOT_FOR = """## Not to be used

* To judge a person, a member of staff or a team, or one answer on its own.
* To decide anything without a person reading the words: who gets a service, money, or a visit.
* To find out who wrote something, how they feel, or where they come from.
* On words that were not given for it, and on clinical, legal or safeguarding text.
* In a language that it did not learn from: it does not tag those, and `--untagged` lists them.
* As a count to the point: shares of tags carry the errors above. Let people review a random sample,
  and report how far they agree with the tags (`pulse agreement`).
"""


def stamp(model: Model, files: Iterable[Path]) -> str:
    """Give what a card is up to date with: the model and the files that it was judged on."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return f"<!-- Made by python -m nlp.card of {model.version} on {digest.hexdigest()[:8]}. -->"


def _held(model: Model) -> list[Path]:
    return [DATA_PATH / name for name in model.provenance.chosen_on]


def card(folder: Path, files: Sequence[Path] = ()) -> str:
    """Make the card of a model.

    Args:
        folder: Of the model.
        files: Coded answers that it did not learn from; by default those of ours on which its
            thresholds were chosen.

    Raises:
        TaggerError: The model or a file cannot be used, or there is none to judge it on.
    """
    model, tagger = read_model(folder), load_tagger(folder)
    judged = list(files) or _held(model)
    if not judged:
        raise AnswersError("name files of coded answers that the model did not learn from")
    codes = [code.key for code in model.codeframe.codes]
    answers = [(file.stem, read_answers([file], codes)) for file in judged]
    measured = measure(tagger, answers)
    everything = [answer for _, part in answers for answer in part]
    fairness = _fairness(
        measure_rewritten(tagger, everything),
        measure_registers(tagger, everything),
        measure_registers(tagger, _learnt(model, codes)),
    )
    parts = [
        stamp(model, judged),
        _about(model, folder, judged, everything, chosen=not files),
        _figures(measured),
        _kinds(measured, everything),
        fairness,
        _failings(model, measured),
        _NOT_FOR,
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _learnt(model: Model, codes: Sequence[str]) -> list[CodedAnswer]:
    """Give answers of ours that the model learnt from: all with a mark of register, some others."""
    files = [DATA_PATH / name for name in model.provenance.files]
    if not all(file.exists() for file in files):
        return []
    answers = read_answers(files, codes)
    others = [answer for answer in answers if register_of(answer.text) == PLAIN]
    return [a for a in answers if register_of(a.text) != PLAIN] + others[::_EVERY]


def write_card(folder: Path, files: Sequence[Path] = ()) -> Path:
    """Make the card of a model and write it into its directory; see ``card``."""
    path = folder / NAME
    path.write_text(card(folder, files), encoding="utf-8")
    return path


# Parts ------------------------------------------------------------------------------------


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _about(
    model: Model,
    folder: Path,
    judged: Sequence[Path],
    answers: Sequence[CodedAnswer],
    *,
    chosen: bool,
) -> str:
    made = model.provenance
    how = {
        "fine-tuned": "It was fine-tuned end to end with its heads",
        "frozen": "Linear heads were fitted on it as it is,",
    }.get(made.method, f"It was made by the method {made.method}")
    size = sum(part.stat().st_size for part in folder.iterdir() if part.name != NAME) / 1e6
    known = seen(model, answers)
    tuned = (
        "The encoder and the wording did not learn from them; the few numbers\nbehind the "
        "thresholds were chosen on them."
        if chosen
        else f"The model learnt from, or\nwas tuned on, {known} of them."
    )
    names = ", ".join(f"`{file.name}`" for file in judged)
    frame, encoder = model.codeframe, _encoder(folder)
    return f"""# The card of {model.version}

Tags short answers to open questions with the {len(frame.codes)} codes of the codeframe
`{frame.codeframe_id}`, version {frame.version}, each with a stance and the words that carry it.
{size:.0f} MB; runs offline. [docs/tagging.md](../../docs/tagging.md) says how it works.

## Data

The encoder is {encoder} (Apache-2.0). {how} on {made.n_answers:,} coded
answers of {_files(len(made.files))}, seed {made.seed}, data `{made.data_hash}`;
`meta.json` names them. Languages: {", ".join(model.languages)}. The answers of
ours (`nlp/data`) were written for this project by one writer a file, each with a register of their
own, and coded by one person a file. Nobody's real words are in them.

Judged on {len(answers)} answers: {names}. {tuned}
"""


def _encoder(folder: Path) -> str:
    """Name the encoder that a model was made from, by the marks of its word pieces."""
    vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"][
        "vocab"
    ]
    return "all-mpnet-base-v2" if "<s>" in vocabulary else "all-MiniLM-L6-v2"


def _files(n: int) -> str:
    return "1 file" if n == 1 else f"{n} files"


def _figures(measured: Measured) -> str:
    result = measured.all
    rows = [
        (key, score.n, score.given, *map(_number, (score.precision, score.recall, score.f1)))
        for key, score in result.per_code.items()
    ]
    table = _table(("code", "people", "tagger", "precision", "recall", "F1"), rows)
    return f"""## Figures

{table}

| | |
| --- | --- |
| macro F1, micro F1 | {_number(result.macro_f1)}, {_number(result.micro_f1)} |
| the very same codes | {_number(measured.exact.share)} of the answers |
| no code where people gave none | {_spoken(measured.none_right)} |
| no code where people gave one | {_spoken(measured.none_wrong)} |
| stance right, of codes rightly given | {_number(result.stance_accuracy)} of {result.stance_n} |
| evidence overlaps by half or more | {_number(result.iou50)} of {result.evidence_n} |
| calibration error of the tags given | {_number(result.ece)} |
"""


def _spoken(found: Found) -> str:
    return f"{found.n} of {found.of}"


def _kinds(measured: Measured, answers: Sequence[CodedAnswer]) -> str:
    channel_of = _channels(answers)
    kinds = [
        ("file", measured.by_file),
        ("length", measured.by_length),
        ("question", measured.by_question),
        ("role", measured.by_role),
    ]
    if channel_of:
        both = [replace(k, name=f"{k.name}, {channel_of[k.name]}") for k in measured.by_role]
        kinds[-1] = ("role, channel", tuple(both))
    else:
        kinds.append(("channel", measured.by_channel))
    as_one = (
        "\nIn these answers each role writes on one channel, so what comes of the one\n"
        "cannot be told from what comes of the other.\n"
        if channel_of
        else ""
    )
    asked, unasked = _number(measured.all.macro_f1), _number(measured.unasked.macro_f1)
    cued, uncued = _number(measured.cued.share), _number(measured.uncued.share)
    tables = "\n\n".join(_kinds_table(title, some) for title, some in kinds if some)
    return f"""## On which answers

{tables}
{as_one}
| | |
| --- | --- |
| macro F1 with the question, without | {asked}, {unasked} |
| codes found on answers with a cue word | {_spoken(measured.cued)} ({cued}) |
| codes found on the others | {_spoken(measured.uncued)} ({uncued}) |

A cue word is one of the code's own name or definition, by its first five letters.
"""


def _channels(answers: Sequence[CodedAnswer]) -> dict[str, str]:
    """Give the channel of each role; nothing where one does not follow from the other."""
    pairs = {(answer.role, answer.channel) for answer in answers} - {(None, None)}
    told = {role: channel for role, channel in pairs if role is not None and channel is not None}
    return told if len(told) == len(pairs) == len(set(told.values())) else {}


def _kinds_table(title: str, kinds: Sequence[Kind]) -> str:
    return _table(
        (title, "answers", "codes", "macro F1", "micro F1", "stance"),
        [(kind.name, kind.result.n, kind.n_codes, *_scores(kind.result)) for kind in kinds],
    )


def _scores(result: Evaluation) -> tuple[str, str, str]:
    return (
        _number(result.macro_f1),
        _number(result.micro_f1),
        _number(result.stance_accuracy),
    )


def _fairness(rewritten: Sequence[Kind], unseen: Sequence[Kind], learnt: Sequence[Kind]) -> str:
    same = _table(
        ("the same answers", "macro F1", "micro F1", "stance"),
        [(_AS_WRITTEN.get(kind.name, kind.name), *_scores(kind.result)) for kind in rewritten],
    )
    new, known = ({kind.name: kind for kind in kinds} for kinds in (unseen, learnt))
    there = [name for name in REGISTERS if name in new or name in known]
    marked = _table(
        ("register", "answers", "micro F1", "stance", "learnt from", "micro F1", "stance"),
        [(name, *_register(new.get(name)), *_register(known.get(name))) for name in there],
    )
    few = [
        f"{name} (n = {new[name].result.n if name in new else 0})"
        for name in there
        if name not in new or new[name].n_codes < _FEW
    ]
    warning = (
        f"Too few unseen answers carry marks of {' or of '.join(few)} for a figure of their own:\n"
        "what stands above may be chance. Let people read such answers, and correct the tags."
        if few
        else ""
    )
    return f"""## Fairness

Each unseen answer as it was written, and rewritten by rule in another register: the codes stay, so
a lower figure is what the register costs.

{same}

Answers that carry marks of a register in their words, such as "she know" or "innit"
(`nlp/slices.py`): few of those who write so are found by them, and they say nothing of who anybody
is. On the left answers that the model did not see; on the right ones that it learnt from, whose
figures flatter, and serve to compare the registers alone.

{marked}

{warning}
"""


def _register(kind: Kind | None) -> tuple[object, str, str]:
    if kind is None:
        return 0, "–", "–"
    return kind.result.n, _number(kind.result.micro_f1), _number(kind.result.stance_accuracy)


def _failings(model: Model, measured: Measured) -> str:
    scores = measured.all.per_code.items()
    weak = [f"`{key}`" for key, score in scores if score.f1 is not None and score.f1 < _WEAK]
    told = [
        f"Under {_number(_WEAK)} F1: {', '.join(weak)}." if weak else "",
        f"{measured.none_right.of - measured.none_right.n} of {measured.none_right.of} answers "
        "that carry no code were given one: jokes and asides that borrow a question's words are "
        "the hardest.",
        f"Codes without a word of their own in the answer are found less often: "
        f"{_number(measured.uncued.share)} against {_number(measured.cued.share)}.",
        f"`neutral` is given to {_spoken(measured.neutral)} of people's neutral codes that were "
        "found; the rest become strength or gap.",
        "One stance a code: an answer that praises and misses the same thing gets one of the two.",
        "Each file of answers was coded by one person. What that person got wrong, it learnt.",
        "Real comments will be harder than answers that were written for a project.",
        f"It knows {', '.join(model.languages)} and no other language. Where the codeframe has cue "
        f"phrases ({', '.join(model.codeframe.cue_languages) or 'none'}), these tag, and say so.",
    ]
    return "## Known failings\n\n" + "\n".join(f"* {line}" for line in told if line)


def main(arguments: Sequence[str]) -> list[Path]:
    """Write cards; gives their paths."""
    if not arguments:
        return [write_card(folder) for folder in (MODEL_PATH, FAST_PATH)]
    folder, *files = map(Path, arguments)
    return [write_card(folder, files)]


if __name__ == "__main__":
    for made in main(sys.argv[1:]):
        sys.stdout.write(f"{made}\n")
