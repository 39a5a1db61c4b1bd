"""What the platforms bring to our door: a hook takes a request and says what to answer.

A hook knows its platform's way to prove that a request is its own. It knows no web server:
reading, bounds and logs are that of ``bot/web.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

__all__ = ["Answer", "Hook", "Refusal", "Refused", "json_object"]

#: Why a request is refused. ``forged``: it does not prove whose it is; ``stale``: its time is
#: too far from ours; ``malformed``: it is not what it says; ``oversized``; ``slow``: it did not
#: come whole in time; ``crowded``: too much comes at once; ``method`` and ``unknown``: nothing of
#: ours is asked for.
Refusal = Literal[
    "crowded", "forged", "malformed", "method", "oversized", "slow", "stale", "unknown"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request is answered."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain"


class Refused(Exception):
    """A request is refused, for this reason and with this status."""

    def __init__(self, kind: Refusal, status: int) -> None:
        super().__init__(kind)
        self.kind = kind
        self.status = status


class Hook(Protocol):
    """Takes one platform's requests.

    Attributes:
        path: Where they come to.
        content_types: What their bodies may be.
    """

    path: str
    content_types: frozenset[str]

    def admit(self, headers: Mapping[str, str]) -> None:
        """Look at a request before its body is read. ``headers`` may be asked in any case.

        Raises:
            Refused: It is not worth reading.
        """
        ...

    async def take(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Take a request, and say what to answer once all that follows from it is committed.

        Raises:
            Refused: It is forged, stale or malformed.
        """
        ...


def json_object(text: str | bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        Refused: It is none, or is nested too deeply to be anybody's message.
    """
    try:
        value = json.loads(text.decode() if isinstance(text, bytes) else text)
    except (ValueError, RecursionError):
        raise Refused("malformed", 400) from None
    if not isinstance(value, dict):
        raise Refused("malformed", 400)
    return value
