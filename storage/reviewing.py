"""The store's contract about tags and people who review them, and the values of its verbs.

A part of ``protocol.py``, where all that holds for every verb stands. A coder here is a person,
by what ``dialogues.coding.coder_id`` makes of their name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from dialogues.coding import Coding, KeptCoding, Said
from dialogues.prompts import Prompt
from storage.values import Respondent, UntaggedAnswer

__all__ = [
    "Drawing",
    "InHand",
    "MemberCheck",
    "ReviewHeld",
    "ReviewProgress",
    "ReviewState",
    "Reviewed",
    "Reviewing",
    "Sample",
    "SampleMode",
    "Sampled",
    "Tagging",
    "ToReview",
    "TurnedBack",
]

ReviewState = Literal["done", "skipped"]


class SampleMode(StrEnum):
    """How answers are chosen to be reviewed.

    ``random``: each with the same known probability, the only one for estimates. ``uncertain``:
    those of whose tags the tagger was least sure. ``code``: by chance among those in which it
    found one code. ``disagreement``: those that coders, or a coder and the tagger, read otherwise.
    """

    RANDOM = "random"
    UNCERTAIN = "uncertain"
    CODE = "code"
    DISAGREEMENT = "disagreement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What is to be drawn.

    Attributes:
        n: Answers, at most.
        seed: Decides, with the ids of the answers alone: the same draws the same.
        double_share: Share of them, in [0, 1], that two coders read, neither seeing tags.
        blind: Whether nobody is shown tags, of whatever share.
        survey_id: Only answers to this survey; None for all. Likewise the others.
        enabler: Needed by ``SampleMode.CODE``, and used by no other.
    """

    mode: SampleMode
    n: int
    seed: str
    double_share: float = 0.0
    blind: bool = False
    survey_id: str | None = None
    wave_id: str | None = None
    cohort: str | None = None
    enabler: str | None = None

    @property
    def all_blind(self) -> bool:
        """Whether all of it is read blind, so that all of it has to be new to everybody."""
        return self.blind or self.double_share >= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One drawing that was made.

    Attributes:
        n_population: Answers that could have been drawn.
        n_drawn: Answers that were; as people erase theirs, fewer are left.
        n_shared: Answers, of those that are left, which more than one coder is to read.
    """

    sample_id: str
    drawing: Drawing
    drawn_at: datetime
    n_population: int
    n_drawn: int
    n_shared: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ToReview:
    """An answer for one coder to read.

    Attributes:
        question: As its person saw it.
        text: As kept; places of codings count in it.
        language: None where it is withheld.
        blind: Whether the coder is to see no tags.
        suggested: What the tagger makes of it that read it last; where coders disagree, what
            they made of it too. Empty where ``blind``. By place in the text.
    """

    sample_id: str
    response_id: str
    question_id: str
    question: str
    text: str
    language: str | None
    blind: bool
    suggested: tuple[KeptCoding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InHand:
    """What a coder has begun and not finished.

    Attributes:
        body: As it was given to ``keep_draft``.
    """

    answer: ToReview
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedBack:
    """A review that was taken back.

    Attributes:
        codings: What it said, each with whether it was confirmed or rejected.
    """

    answer: ToReview
    state: ReviewState
    codings: tuple[tuple[Coding, Said], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewHeld:
    """That a coder read an answer.

    Attributes:
        sample_id: Of the sample in which they met it.
        blind: Whether they saw no tags.
        settles: Whether they met it as a disagreement, and saw what the others said.
        state: ``done`` with no confirmed coding of theirs means none of the codes.
        reviewed_at: ISO 8601 in UTC; of a loose anonymous response the day alone.
    """

    coder: str
    sample_id: str
    number: int
    blind: bool
    settles: bool
    state: ReviewState
    reviewed_at: str
    codeframe_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """That an answer was drawn.

    Attributes:
        probability: That with which it was to be drawn; None where it was chosen for what
            it holds.
    """

    sample_id: str
    place: int
    probability: float | None
    coders_wanted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """An answer that somebody has reviewed, with all that is said of it.

    Attributes:
        language: None where it is withheld.
        tagged_by: The tagger that read it last; None where none could.
        sampled: Of the sample that was asked for; None where none was.
        reviews: By coder.
        codings: Of taggers, coders and the respondent, by place in the text.
    """

    response_id: str
    question_id: str
    survey_id: str
    wave_id: str | None
    cohort: str | None
    role: str
    channel: str
    question: str
    text: str
    language: str | None
    tagged_by: str | None
    sampled: Sampled | None
    reviews: tuple[ReviewHeld, ...]
    codings: tuple[KeptCoding, ...]

    def given_by(self, coder: str) -> tuple[Coding, ...]:
        """Give what a coder confirmed, or what a tagger suggested."""
        return tuple(
            one.coding
            for one in self.codings
            if one.coder == coder and one.status is not Said.REJECTED
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewProgress:
    """How far a sample is.

    Attributes:
        n: Answers of it that are still there.
        n_done: Answers that as many coders have read as are wanted, blind where that is wanted.
        done: By coder, answers done; likewise ``skipped``.
    """

    n: int
    n_done: int
    done: Mapping[str, int] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCheck:
    """What somebody said of the tags of their own words.

    Attributes:
        codings: Confirmed or rejected, by place in the text.
        suggested: What the tagger makes of it that read it last, by place in the text.
    """

    response_id: str
    question_id: str
    question: str
    text: str
    codings: tuple[KeptCoding, ...]
    suggested: tuple[Coding, ...]


class Tagging(Protocol):
    """The verbs about what taggers make of answers."""

    def untagged(self, coder: str, *, limit: int) -> list[UntaggedAnswer]:
        """Give text answers with words that no model has read since they were last
        changed, oldest response first. Unsubmitted anonymous answers are left out.
        """
        ...

    def tagged_otherwise(
        self, coder: str, *, after: tuple[str, str], limit: int
    ) -> list[UntaggedAnswer]:
        """Give text answers with words that this tagger did not read last, by their ids.
        Unsubmitted anonymous answers are left out.

        Args:
            coder: The tagger's ``name@hash``; what its phrases in another language read
                (``name@hash+cues-cy``) counts as read by it.
            after: Response and question of the last one that was given; empty for the first.
            limit: How many.
        """
        ...

    def count_tagged_otherwise(self, coder: str) -> int:
        """Count what ``tagged_otherwise`` could give."""
        ...

    def save_codings(
        self,
        answer: UntaggedAnswer,
        codings: Sequence[Coding],
        *,
        coding_ids: Sequence[str],
        coder: str,
        at: datetime,
        error: str | None,
    ) -> bool:
        """Save what a tagger made of an answer; False, and nothing saved, when its words
        changed meanwhile or it is gone. Safe to repeat. Of a loose response only the day
        of ``at`` is kept.
        """
        ...

    def codings_of(self, response_id: str) -> list[tuple[str, KeptCoding]]:
        """Give (question_id, coding) of a response, by place of the question, then offset."""
        ...


class Reviewing(Protocol):
    """The verbs about samples and reviews."""

    # Samples --------------------------------------------------------------------------

    def draw_sample(self, drawing: Drawing, *, sample_id: str, at: datetime) -> Sample:
        """Draw answers to be reviewed, and keep which.

        Answers with words, of open questions; of an anonymous survey only once they are loose
        and their wave is closed, or outside a wave on a later day (UTC) than they were handed
        in. Drawn at random are all of them alike, also those that were reviewed before;
        otherwise only answers that nobody has reviewed, but for disagreements. What is to be
        read blind, or by two, is taken from what nobody has read, skipped or in hand: where
        all of it is, nothing else is drawn; else fewer come to two where too few are left.
        Disagreements leave out what is still to be read blind, and what somebody has settled
        until a later reading says otherwise.
        """
        ...

    def sample(self, sample_id: str) -> Sample | None:
        """Give a sample; None when there is none."""
        ...

    def samples(self) -> list[Sample]:
        """Give every sample, the newest first."""
        ...

    # Reviews --------------------------------------------------------------------------

    def known_as(self, channel: str, account: str) -> list[str]:
        """Give the pseudonyms under which somebody's account on a platform is known.

        Args:
            channel: Of the platform.
            account: Its id there; in Slack with or without the workspace's before it.
        """
        ...

    def next_to_review(
        self,
        coder: str,
        sample_id: str,
        *,
        not_of: Sequence[str] = (),
        least: int = 0,
        skipped_until: int = 0,
    ) -> ToReview | None:
        """Give the next answer of a sample for a coder; None when there is none for them.

        Not one that they have read, in whatever sample, nor one that as many others have read
        as are wanted: blind, where that is wanted. What somebody else has in hand comes last.

        Args:
            coder: Who asks.
            sample_id: Of which sample.
            not_of: Pseudonyms whose answers are left out: the coder's own.
            least: Only of a wave (or open check-in of a cohort) in which so many people
                answered.
            skipped_until: What they skipped comes again, up to this review by its number.
        """
        ...

    def count_to_review(
        self,
        coder: str,
        sample_id: str,
        *,
        not_of: Sequence[str] = (),
        least: int = 0,
        skipped_until: int = 0,
    ) -> int:
        """Count what ``next_to_review`` could give."""
        ...

    def in_hand(
        self, coder: str, sample_id: str, *, not_of: Sequence[str] = (), least: int = 0
    ) -> InHand | None:
        """Give what a coder has begun of a sample; None for nothing, where its words have
        changed since, or where it is not for them by ``not_of`` and ``least``, as in
        ``next_to_review``: they may have begun it where more is shown.
        """
        ...

    def keep_draft(self, answer: ToReview, coder: str, body: str) -> bool:
        """Keep what a coder has begun, in place of what else they had in hand of the sample;
        False, and nothing kept, when its words changed or it is gone. Safe to repeat.
        """
        ...

    def drop_draft(self, coder: str, sample_id: str) -> None:
        """Put away what a coder has in hand of a sample."""
        ...

    def save_review(
        self,
        answer: ToReview,
        codings: Sequence[tuple[Coding, Said]],
        *,
        coder: str,
        state: ReviewState,
        coding_ids: Sequence[str],
        codeframe_version: str,
        at: datetime,
    ) -> bool:
        """Save what a coder makes of an answer, in place of what they made of it before, and
        put away their draft; False, and nothing saved, when its words changed or it is gone.
        Safe to repeat. Of a loose response only the day of ``at`` is kept.
        """
        ...

    def undo_review(
        self, coder: str, sample_id: str, *, not_of: Sequence[str] = (), least: int = 0
    ) -> TurnedBack | None:
        """Take back the newest review of a coder in a sample; None, and nothing taken back, when
        there is none, or its answer is not for them by ``not_of`` and ``least``.
        """
        ...

    def last_number(self, coder: str) -> int:
        """Give the number of a coder's newest review; 0 when there is none."""
        ...

    def reviewed(self, *, sample_id: str | None = None) -> list[Reviewed]:
        """Give the answers that somebody has reviewed (also those only skipped), by response
        and place of the question; with a ``sample_id`` those that were drawn in it, in
        whichever sample they were reviewed.
        """
        ...

    def member_checks(self) -> list[MemberCheck]:
        """Give the answers of which their own people said what they hold, by response and
        place of the question. They chose what they were asked of: no sample of anything.
        """
        ...

    def review_progress(self, sample_id: str) -> ReviewProgress:
        """Say how far a sample is."""
        ...

    def show_review(
        self,
        respondent: Respondent,
        coder: str,
        prompt: Prompt,
        *,
        at: datetime,
        moved: Prompt | None = None,
    ) -> None:
        """Put what a coder is shown in a chat into the outbox, in place of what they were shown
        last; with ``moved`` at the end of the chat, and that takes the place of the other. It
        goes with the answer that it shows.
        """
        ...
