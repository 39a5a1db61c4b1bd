"""What goes wrong on a fake platform, on purpose and repeatably.

Answers to the bot's calls:

    fake.faults.fail("sendMessage", "429", times=3, retry_after=2)
    fake.faults.fail("sendMessage", "403", where=lambda p: p["chat_id"] == "7")
    fake.faults.fail("*", "500", probability=0.05)      # seeded, until clear()

Kinds: `429` (`retry_after`), `403`, `500`, `error` (`status`, `error`: any refusal in the
platform's own form), `nonsense` (200 and a page of HTML), `gateway` (the same with 502),
`not_ok` (200, `ok` false, and no word why), `hang` (no answer while the connection lives),
`reset` (connection cut, nothing done), `lose_reply` (done, then the connection is cut: a message
in doubt), `slow` (`seconds`, then as usual).

Events to the bot, as probabilities from 0 to 1:

    repeat       an event that the bot has already acknowledged comes once more
    hold         an event is held back for `hold_seconds`, so that others overtake it

`keep_person_order` (default true) lets one person's events never overtake each other.
`fresh_event_id` (Slack) gives each redelivery another event id.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

KINDS = frozenset({
    "429", "403", "500", "error", "nonsense", "gateway", "not_ok", "hang", "reset", "lose_reply",
    "slow",
})  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Fault:
    """One rule; `hits` counts how often it has struck."""

    method: str
    kind: str
    times: int | None
    probability: float
    retry_after: int
    status: int
    error: str
    seconds: float
    where: Callable[[dict[str, Any]], bool] | None
    hits: int = 0


class Faults:
    """The rules in force on one fake, with the random source they draw from."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)
        self.clear()

    def clear(self) -> None:
        """Let everything go well from now on."""
        self.rules: list[Fault] = []
        self.repeat = 0.0
        self.hold = 0.0
        self.hold_seconds = (0.01, 0.1)
        self.keep_person_order = True
        self.fresh_event_id = False

    def fail(
        self,
        method: str,
        kind: str,
        *,
        times: int | None = None,
        probability: float | None = None,
        retry_after: int = 1,
        status: int = 400,
        error: str = "",
        seconds: float = 0.1,
        where: Callable[[dict[str, Any]], bool] | None = None,
    ) -> Fault:
        """Let calls of `method` (`*`: of every method) fail.

        Without `times` and `probability` the next call fails; with `probability` alone each
        call may, until `clear()`.
        """
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind!r}; one of {', '.join(sorted(KINDS))}")
        if times is None and probability is None:
            times = 1
        fault = Fault(
            method=method,
            kind=kind,
            times=times,
            probability=1.0 if probability is None else probability,
            retry_after=retry_after,
            status=status,
            error=error,
            seconds=seconds,
            where=where,
        )
        self.rules.append(fault)
        return fault

    def take(self, method: str, params: dict[str, Any]) -> Fault | None:
        """Give the rule that strikes this call, if one does, and count it."""
        for fault in self.rules:
            if fault.method not in {"*", method}:
                continue
            if fault.times is not None and fault.hits >= fault.times:
                continue
            if fault.where is not None and not fault.where(params):
                continue
            if fault.probability < 1.0 and self.random.random() >= fault.probability:
                continue
            fault.hits += 1
            return fault
        return None

    def strikes(self, probability: float) -> bool:
        """Draw once."""
        return probability > 0.0 and self.random.random() < probability
