"""From a model directory to a tagger.

What lives here: the assembled spaCy pipeline behind the ``Tagger`` protocol.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import load_config, load_model_from_config

from dialogues.coding import Codeframe, Coding, Stance
from nlp import clauses as clauses  # registers the tokenizer
from nlp import components as components  # registers the factories
from nlp.cues import LEAST, pipeline_name
from nlp.languages import LANGUAGES, NOT_TAGGED, language_of
from nlp.model import Model, ModelError, read_model
from nlp.shipped import MODEL_PATH, model_folder
from nlp.tagger import Tagged, ToTag

__all__ = ["SpacyTagger", "load_cues", "load_pipeline", "load_tagger"]

_PIPELINE = Path(__file__).with_name("pipeline.cfg")
_CUES = Path(__file__).with_name("cues.cfg")
_LONGEST = 1_000_000


def load_pipeline(model: Path = MODEL_PATH) -> Language:
    """Assemble the spaCy pipeline of a model directory.

    Args:
        model: The directory; the one that ships with the project by default.

    Raises:
        ModelError: It cannot be used.
    """
    read = {"model": str(model)}
    config = load_config(_PIPELINE)
    for name in ("commonpulse_encoder", "commonpulse_wording", "commonpulse_coder"):
        config["components"][name].update(read)
    nlp = load_model_from_config(config, auto_fill=True)
    nlp.max_length = _LONGEST
    return nlp


def load_cues(codeframe: Path, language: str) -> Language:
    """Assemble the spaCy pipeline that codes a language by a codeframe's cue phrases.

    Args:
        codeframe: Its file.
        language: One for which it has cue phrases.
    """
    config = load_config(_CUES)
    config["components"]["commonpulse_cues"].update(codeframe=str(codeframe), language=language)
    nlp = load_model_from_config(config, auto_fill=True)
    nlp.max_length = _LONGEST
    return nlp


class SpacyTagger:
    """The tagger that ships: one spaCy pipeline for the languages that the model knows, one for
    each that has cue phrases; each answer read alone.

    Not thread-safe: give it one thread.
    """

    def __init__(self, nlp: Language, model: Model) -> None:
        """Take an assembled pipeline.

        Args:
            nlp: Of ``load_pipeline``.
            model: It was assembled of.
        """
        self._nlp = nlp
        self._model = model
        keys = (code.key for code in model.codeframe.codes)
        self._thresholds = dict(zip(keys, model.decision.thresholds, strict=True))
        self._cues: dict[str, Language] = {}

    @property
    def version(self) -> str:
        """Name and version of the model."""
        return self._model.version

    @property
    def model(self) -> Model:
        """What it was assembled of."""
        return self._model

    @property
    def codeframe(self) -> Codeframe:
        """The codes that it gives."""
        return self._model.codeframe

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the model knows, the likeliest first; none where it learnt from no
        letters, and reads all.
        """
        return self._model.languages

    def language_of(self, answer: ToTag) -> str | None:
        """Tell the language of an answer; None where it has no letters."""
        if answer.language in self.codeframe.cue_languages and answer.language not in LANGUAGES:
            return answer.language
        return language_of(answer.text, answer.language or next(iter(self.languages), None))

    def _cues_of(self, language: str) -> Language:
        if language not in self._cues:
            self._cues[language] = load_cues(self._model.path / "codeframe.toml", language)
        return self._cues[language]

    def _read(self, answer: ToTag) -> Tagged:
        language = self.language_of(answer)
        if language is None or language in self.languages or not self.languages:
            return Tagged(codings=_codings(_doc(self._nlp, answer), answer.text, self._thresholds))
        if language not in self.codeframe.cue_languages:
            return Tagged(codings=(), error=NOT_TAGGED)
        cues = self._cues_of(language)
        with cues.memory_zone():
            least = dict.fromkeys(self._thresholds, LEAST)
            codings = _codings(_doc(cues, answer), answer.text, least)
        return Tagged(codings=codings, pipeline=pipeline_name(language))

    def read(self, answer: ToTag) -> Doc:
        """Let the model read an answer in a language that it knows; gives all that it noted."""
        return _doc(self._nlp, answer)

    def _tagged(self, answer: ToTag) -> Tagged:
        if len(answer.text) > _LONGEST:
            return Tagged(codings=(), error=f"longer than {_LONGEST:,} characters")
        try:
            answer.text.encode()
        except UnicodeEncodeError:
            return Tagged(codings=(), error="not valid text: it holds half a character")
        try:
            return self._read(answer)
        except Exception as error:  # the contract: a text never stops the others
            return Tagged(codings=(), error=f"the model could not read it ({type(error).__name__})")

    def tag(self, answers: Sequence[ToTag]) -> list[Tagged]:
        """Tag answers, in the order given, one result an answer.

        Each is read alone: what stands beside it changes nothing. An answer in a language that
        the model does not know is tagged by the codeframe's cue phrases in it; without any it is
        not tagged, and has ``NOT_TAGGED`` for an error. The model codes an answer of more than
        about 25,000 characters by its beginning (48 windows of 192 word pieces).
        The words are forgotten when the call ends.
        """
        with self._nlp.memory_zone():
            return [self._tagged(answer) for answer in answers]


def _doc(nlp: Language, answer: ToTag) -> Doc:
    doc = nlp.make_doc(answer.text)
    doc._.question = answer.question
    return nlp(doc)


def _codings(doc: Doc, text: str, thresholds: Mapping[str, float]) -> tuple[Coding, ...]:
    group = doc.spans["codes"]
    return tuple(
        Coding(
            enabler=span.label_,
            stance=Stance(span.id_) if span.id_ else None,
            span_text=text[span.start_char : span.end_char],
            span_start=span.start_char,
            span_end=span.end_char,
            confidence=score,
            threshold=thresholds[span.label_],
        )
        for span, score in zip(group, group.attrs["scores"], strict=True)
    )


def load_tagger(model: str | Path = MODEL_PATH) -> SpacyTagger:
    """Load a tagger; offline, in well under a second after spaCy's import.

    Args:
        model: ``default``, ``fast``, or a directory made by ``pulse train``.

    Raises:
        ModelError: The directory cannot be used.
    """
    path = model_folder(model)
    known = read_model(path)
    try:
        nlp = load_pipeline(path)
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"{path}: the model cannot be opened ({type(error).__name__})") from error
    return SpacyTagger(nlp, known)
