"""Who reads answers for the researchers: ``[[coder]]`` in the configuration.

What lives here: the table, and who stands behind an account. What must not: what they read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from bot.settings import Name, Table
from dialogues.coding import coder_id

__all__ = ["Coder", "CoderPlan", "coder_at", "coders_of"]


def _account(value: object) -> object:
    """Telegram's ids are numbers; both ways of writing one do."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None if value == "" else value


def _like(pattern: str, expected: str) -> AfterValidator:
    def look(value: str | None) -> str | None:
        if value is not None and not re.fullmatch(pattern, value):
            raise ValueError(expected)
        return value

    return AfterValidator(look)


class Coder(Table):
    """A person who reviews answers and their tags."""

    name: Name = Field(description="a-z, 0-9 and -; unique; stands beside their decisions")
    telegram: Annotated[
        str | None,
        BeforeValidator(_account),
        _like(r"[1-9]\d{0,19}", "expected a Telegram user id, such as 123456789"),
    ] = Field(
        default=None, description="their user id on Telegram, who may send `/review`; a number"
    )
    slack: Annotated[
        str | None,
        BeforeValidator(_account),
        _like(r"[UW][A-Z0-9]+", 'expected the id of a member such as "U0123456789"'),
    ] = Field(
        default=None, description="their member id in Slack, who may send `review`: `U0123456789`"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CoderPlan:
    """A coder, as configured.

    Attributes:
        accounts: Channel to their id there.
    """

    name: str
    accounts: Mapping[str, str]

    @property
    def coder_id(self) -> str:
        """What stands for them beside their decisions."""
        return coder_id(self.name)


def coders_of(listed: Sequence[Coder]) -> tuple[CoderPlan, ...]:
    """Give the coders of a configuration."""
    return tuple(
        CoderPlan(
            name=one.name,
            accounts={
                channel: account
                for channel, account in (("telegram", one.telegram), ("slack", one.slack))
                if account is not None
            },
        )
        for one in listed
    )


def coder_at(coders: Sequence[CoderPlan], channel: str, platform_id: str) -> CoderPlan | None:
    """Give the coder whose account this is; None when it is nobody's.

    Args:
        coders: As configured.
        channel: Such as ``slack``.
        platform_id: As in an address; in Slack the workspace's id and the member's.
    """
    account = platform_id.rpartition(":")[2]
    return next((one for one in coders if one.accounts.get(channel) == account), None)
