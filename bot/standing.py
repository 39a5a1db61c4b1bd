"""How a wave stands, for those who run it: sending, invitations, rates, and who came again.

What lives here: figures and sentences from the store's counts. What must not: the store, or
a terminal (``cli/standing.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dialogues.rates import Rates, rates_of
from dialogues.states import UNSENT, Cause, State
from storage.protocol import InvitationCounts, Wave

__all__ = ["WaveStanding", "in_zone", "people", "why", "why_not"]

#: A cohort that can be counted before anybody is asked: the members of a Slack channel. Who
#: follows a link chose to come, so theirs is no response rate.
_LISTED = frozenset({"slack"})

#: Why people are not invited to a wave, in few words.
_WHY = {
    Cause.AWAY: "away",
    Cause.CLOSED: "closed before",
    Cause.DAY_OFF: "on days off",
    Cause.FATIGUE: "asked enough lately",
    Cause.GIVEN_UP: "given up",
    Cause.HOLIDAY: "on holidays",
    Cause.LEFT: "left before",
    Cause.PAUSED: "paused",
    Cause.QUIET: "in quiet hours",
    Cause.STALE: "too late",
    Cause.UNREACHABLE: "not reachable",
    Cause.WITHDRAWN: "said stop before",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveStanding:
    """How a wave stands at an instant.

    Attributes:
        now: Aware UTC.
        rates: Messages a second that each channel takes, as configured.
        not_invited: Reason to how many people were not invited for it.
        measured: Messages a second that leave at present, as far as it was watched.
    """

    wave: Wave
    counts: InvitationCounts
    now: datetime
    rates: Mapping[str, float]
    not_invited: Mapping[str, int]
    measured: float | None = None

    @property
    def unsent(self) -> int:
        """Invitations that wait to be sent."""
        return sum(self.counts.by_state.get(state.value, 0) for state in UNSENT)

    @property
    def sent(self) -> int:
        """Invitations that were delivered, or whose people came by themselves before."""
        return self.counts.invited - self.unsent - self.failed

    @property
    def failed(self) -> int:
        """Invitations that could not be delivered, or were not sent for another reason."""
        return self.counts.by_state.get(State.FAILED.value, 0)

    @property
    def due(self) -> int:
        """Messages of our own accord that may go now."""
        return sum(one.due for one in self.counts.to_send)

    @property
    def later(self) -> int:
        """Messages of our own accord that wait for their person's hour."""
        return sum(one.later for one in self.counts.to_send)

    @property
    def last_due_at(self) -> datetime | None:
        """When the last of those may go."""
        return max((one.last_due_at for one in self.counts.to_send), default=None)

    @property
    def done_at(self) -> datetime | None:
        """When everything that is to be sent will have gone; None where nothing is to be sent,
        or nothing is sent because the wave is not open.
        """
        if self.wave.state != "open":
            return None
        times = []
        for one in self.counts.to_send:
            rate = self.rates.get(one.channel, 1.0)
            if self.measured is not None and len(self.counts.to_send) == 1:
                rate = min(rate, self.measured)
            seconds = (one.due + one.later) / rate
            times.append(max(self.now + timedelta(seconds=seconds), one.last_due_at))
        return max(times, default=None)

    @property
    def share(self) -> Rates:
        """The rates of the wave."""
        return rates_of(self.counts.by_disposition, agreed=self.counts.consented)

    @property
    def listed(self) -> bool:
        """Whether all who were invited stood on a list that is not of their own making, so
        that one can speak of response.
        """
        channels = {name for name, n in self.counts.by_channel.items() if n}
        return bool(channels) and channels <= _LISTED

    def as_json(self) -> dict[str, object]:
        """Give everything for a program to read; shares in [0, 1], instants in UTC."""
        counts, retention = self.counts, self.counts.retention
        done_at, last_due_at = self.done_at, self.last_due_at
        return {
            "invited": counts.invited,
            "agreed": counts.consented,
            "not_invited": dict(sorted(self.not_invited.items())),
            "dispositions": dict(sorted(counts.by_disposition.items())),
            "states": dict(sorted(counts.by_state.items())),
            "channels": dict(sorted(counts.by_channel.items())),
            "messages_waiting": counts.waiting,
            "sending": {
                "invitations_sent": self.sent,
                "invitations_to_send": self.unsent,
                "invitations_failed": self.failed,
                "messages_due": self.due,
                "messages_later": self.later,
                "last_due_at": _written(last_due_at),
                "done_at": _written(done_at),
            },
            "denominator": "list" if self.listed else "self-selected",
            "rates": asdict(self.share),
            "panel": None if retention is None else asdict(retention),
        }

    # Sentences ------------------------------------------------------------------------

    def sending(self) -> str:
        """Say what is still to be sent and when that will be done."""
        counts = self.counts
        if not counts.invited and not counts.to_send:
            return "nobody is invited" if self.not_invited else "nobody was invited yet"
        said = f"{self.sent:,} of {counts.invited:,} invitations sent"
        if self.failed:
            said += f", {self.failed:,} not sent or not delivered"
        if self.measured:
            said += f", {self.measured:.1f} messages a second"
        if self.wave.state == "paused" and counts.to_send:
            n = self.due + self.later
            return f"{said}; {_messages(n)} {'waits' if n == 1 else 'wait'} until it is resumed"
        done_at = self.done_at
        if done_at is None:
            return said
        said += f"; {_messages(self.due)} to send"
        if self.later:
            waits = "waits" if self.later == 1 else "wait"
            said += f" and {self.later:,} that {waits} for people's own hours"
        return f"{said}, done at about {in_zone(done_at, self.wave.timezone)}"

    def states(self) -> str:
        """Say how invitations stand, in the order in which they go."""
        by_state = self.counts.by_state
        stand = [(state.value, by_state.get(state.value, 0)) for state in State]
        return ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in stand if n)

    def responses(self) -> str:
        """Say the rates of those who were invited."""
        share = self.share
        if share.response is None:
            return "nobody was invited yet"
        noun = "response" if self.listed else "participation"
        return (
            f"{noun} {_percent(share.response)} complete (RR1),"
            f" {_percent(share.response_with_partial)} with partial (RR2),"
            f" contact {_percent(share.contact)}, refusal {_percent(share.refusal)}"
        )

    def of_those_who_agreed(self) -> str:
        """Say the rates of those who agreed."""
        share = self.share
        return (
            f"{self.counts.consented:,} agreed: completion {_percent(share.completion)},"
            f" break-off {_percent(share.break_off)}"
        )

    def panel(self) -> str:
        """Say who came again since the wave before; empty where that cannot be said."""
        held = self.counts.retention
        if held is None or not held.answered:
            return ""
        return (
            f"{held.again:,} of {held.answered:,} who answered {held.before} have answered again"
            f" ({_percent(held.again / held.answered)} retention), {held.entered:,} are new"
        )


def why(reason: str) -> str:
    """Say in few words why something was not sent.

    Args:
        reason: A ``Cause``.
    """
    return _WHY[Cause(reason)]


def why_not(not_invited: Mapping[str, int]) -> str:
    """Say how many people are not invited, and why; empty where there is nobody.

    Args:
        not_invited: Reason to how many.
    """
    return ", ".join(f"{count:,} {why(reason)}" for reason, count in sorted(not_invited.items()))


def people(n: int) -> str:
    """Write ``1 person``, ``2,000 people``."""
    return "1 person" if n == 1 else f"{n:,} people"


def _messages(n: int) -> str:
    return "1 message" if n == 1 else f"{n:,} messages"


def in_zone(at: datetime, timezone: str) -> str:
    """Write an instant as a clock in a zone shows it."""
    return f"{at.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M} {timezone}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f}%"


def _written(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
