"""What ``storage.url`` may say: which engine, and where its database is.

What lives here: reading the address. What must not: opening what it names (``open.py``), or
any engine's library. An address may hold a password, so no message repeats it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from dialogues.errors import StoreError

__all__ = ["PostgresPlace", "SqlitePlace", "read_url"]

_POSTGRES = re.compile(r"postgres(?:ql)?://(?:([^@/?]*)@)?([^/?]*)(?:/([^?]*))?(?:\?(.*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlitePlace:
    """A SQLite database.

    Attributes:
        path: Of its file; None for a database in memory.
    """

    path: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresPlace:
    """A PostgreSQL database.

    Attributes:
        url: As configured: a secret, since it may hold a password.
        name: Where it is, for people to read; without a password.
    """

    url: str
    name: str


def read_url(url: str) -> SqlitePlace | PostgresPlace:
    """Read an address.

    Args:
        url: ``sqlite:///pulse.db`` (beside the working directory),
            ``sqlite:////var/lib/pulse.db`` (absolute), ``sqlite://`` (in memory, gone at the
            end), or ``postgresql://USER@HOST/NAME``.

    Raises:
        StoreError: It is none; the message begins with "expected".
    """
    scheme, separator, rest = url.partition("://")
    if separator and scheme == "sqlite":
        return SqlitePlace(path=_file(rest))
    if separator and scheme in {"postgresql", "postgres"}:
        return PostgresPlace(url=url, name=_postgres(url))
    raise StoreError('expected "sqlite:///FILE" or "postgresql://USER@HOST/NAME"')


def _file(rest: str) -> Path | None:
    if rest in {"", "/", "/:memory:"}:
        return None
    if not rest.startswith("/"):
        raise StoreError(
            f'expected three strokes, "sqlite:///{rest}", or four for a path from the root'
        )
    return Path(rest[1:])


def _postgres(url: str) -> str:
    """Give the address without user, password and options.

    What stands where a password can end up by a slip is looked at before a library could
    repeat it in a message of its own.
    """
    found = _POSTGRES.fullmatch(url)
    _, hosts, name, options = ("", "", "", "") if found is None else found.groups("")
    ports = [host.rpartition(":")[2] for host in hosts.split(",") if re.search(r":[^\]]*$", host)]
    if found is None or "@" in hosts + name or not all(re.fullmatch(r"\d*", one) for one in ports):
        raise StoreError(
            'expected "postgresql://USER:PASSWORD@HOST:PORT/NAME", in the password %40 for @,'
            " %2F for /, %3A for : and %25 for %"
        )
    if any("=" not in option for option in options.split("&") if option):
        raise StoreError("expected options as in ...?sslmode=require&connect_timeout=5")
    if re.search(r"%(?![0-9A-Fa-f]{2})", url):
        raise StoreError("expected %25 for every % in the address of the database")
    host = re.search(r"(?:^|&)host=([^&]*)", options)
    return f"postgresql://{hosts or unquote(host[1] if host else '')}/{unquote(name)}".rstrip("/")
