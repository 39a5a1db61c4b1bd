"""The commands that take care of what is kept: backup, restore, migrate.

What lives here: options in, and where things are. What must not: how it is done
(``storage.backups``, ``storage.copying``), or what is said of it (``keeping_words.py``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import config_path, keeping_words, settings
from bot.cli.progress import bar
from bot.errors import CannotError, UserError
from bot.sole import sole_use
from dialogues.errors import StoreError

if TYPE_CHECKING:
    from storage.backups.making import Form
    from storage.urls import PostgresPlace, SqlitePlace

__all__ = ["backup", "migrate", "restore"]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Target = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="URL", help="sqlite:///FILE or postgresql://...; else storage.url."
    ),
]


def backup(
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="PATH",
            help="File (a name with an ending), or folder for a file named after the time; else"
            " backups/ beside the database.",
        ),
    ] = None,
    format_name: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="sqlite (a database; the default of SQLite) or portable (for every engine;"
            " the default of PostgreSQL).",
        ),
    ] = None,
    pg_dump: Annotated[
        bool, typer.Option("--pg-dump", help="Of PostgreSQL, by its own program.")
    ] = False,
    keep: Annotated[
        int | None,
        typer.Option("--keep", metavar="N", min=1, help="Remove older ones, so that N are left."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Back everything up into one file, while `pulse run` goes on, and read it back."""
    from bot.app import now
    from storage.backups.making import ENDINGS, make_backup
    from storage.backups.place import file_name, remove_older

    url = settings().storage.url
    place = _read(url)
    form = _form(format_name, pg_dump=pg_dump, place=place)
    at = now()
    stem, beside = _name_and_folder(place)
    folder: Path | None = beside / "backups"
    if out is not None:
        folder = out if out.is_dir() or not out.suffix else None
    if keep is not None and folder is None:
        raise UserError("--keep goes with a folder: name one with --out, or leave --out away.")
    target = out if folder is None else folder / file_name(stem, at, ENDINGS[form])
    if target is None:
        raise UserError("--out names nothing.")
    with bar() as progress:
        made = make_backup(
            url, target, form=form, at=at, program=version("commonpulse"), progress=progress
        )
    removed = [] if folder is None or keep is None else remove_older(folder, stem, keep=keep)
    say = keeping_words.made_json if as_json else keeping_words.made_words
    typer.echo(say(made, removed))


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `pulse backup` made.")],
    to: Target = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Put what is there aside, and keep it under another name."),
    ] = False,
    drop_waiting: Annotated[
        bool,
        typer.Option("--drop-waiting", help="Leave out messages that waited to be sent."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back: checked first, then all of it or nothing.

    With --replace, people who asked to be forgotten since are erased again, and messages that
    were sent since are not sent again.
    """
    from bot.app import new_id, now
    from storage.backups.restoring import fill_from, open_backup
    from storage.filling import filling_at

    url = to or settings().storage.url
    at = now()
    with ExitStack() as held:
        progress = held.enter_context(bar())
        opened = held.enter_context(open_backup(file))
        opened.verify(progress)
        held.enter_context(_alone(url))
        with filling_at(url, replace=replace, at=at) as filling:
            restored = fill_from(
                opened, filling, at=at, new_id=new_id, drop=drop_waiting, progress=progress
            )
    say = keeping_words.restored_json if as_json else keeping_words.restored_words
    typer.echo(say(restored, file, _named(_read(url))))


def migrate(
    to: Annotated[
        str,
        typer.Option("--to", metavar="URL", help="An empty database: postgresql://..., sqlite:///"),
    ],
    as_json: AsJson = False,
) -> None:
    """Copy everything into another database, such as from SQLite to PostgreSQL, and compare."""
    from bot.app import now
    from storage.moving import move_all

    url = settings().storage.url
    source_name, target_name = _named(_read(url)), _named(_read(to))
    if source_name == target_name:
        raise UserError("--to names the database that storage.url names; give another one.")
    with _alone(url), _alone(to), bar() as progress:
        tables = move_all(url, to, name=source_name, at=now(), progress=progress)
    say = keeping_words.moved_json if as_json else keeping_words.moved_words
    typer.echo(say(tables, source_name, target_name))


def _read(url: str) -> SqlitePlace | PostgresPlace:
    """Read an address.

    Raises:
        UserError: It is none, or of a database in memory.
    """
    from storage.urls import SqlitePlace, read_url

    try:
        place = read_url(url)
    except StoreError as error:
        raise UserError(f"The address of the database cannot be used: {error}.") from None
    if isinstance(place, SqlitePlace) and place.path is None:
        raise UserError("A database in memory is gone when its program ends; name a file.")
    return place


def _named(place: SqlitePlace | PostgresPlace) -> str:
    """Name a database for people to read, without a password."""
    from storage.urls import PostgresPlace

    return place.name if isinstance(place, PostgresPlace) else str(place.path)


def _name_and_folder(place: SqlitePlace | PostgresPlace) -> tuple[str, Path]:
    """Give how backups of a database are called, and the folder that they lie near."""
    from bot.config import find_config
    from storage.urls import PostgresPlace

    if isinstance(place, PostgresPlace):
        config = find_config(config_path(), os.environ)
        name = place.name.rpartition("/")[2]
        kept = "".join(letter if letter.isalnum() else "_" for letter in name)
        return kept or "pulse", Path() if config is None else config.parent
    path = place.path or Path()
    return path.stem, path.parent


def _form(name: str | None, *, pg_dump: bool, place: SqlitePlace | PostgresPlace) -> Form:
    from storage.urls import PostgresPlace

    postgres = isinstance(place, PostgresPlace)
    if pg_dump:
        if not postgres or name is not None:
            raise UserError("--pg-dump is for PostgreSQL, and has a format of its own.")
        return "pg_dump"
    match name:
        case None:
            return "portable" if postgres else "sqlite"
        case "portable":
            return "portable"
        case "sqlite" if not postgres:
            return "sqlite"
        case "sqlite":
            raise UserError("PostgreSQL is backed up as portable, or with --pg-dump.")
        case _:
            raise UserError(f"There is no format {name}; choose sqlite or portable.")


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """Hold a database while no `pulse run` is up on it.

    Raises:
        CannotError: One is up.
    """
    from storage.urls import SqlitePlace

    place = _read(url)
    if isinstance(place, SqlitePlace):
        if place.path is not None and not place.path.parent.is_dir():
            raise CannotError(f"The folder {place.path.parent} is missing; make it.")
        with sole_use(place.path):
            yield
        return
    yield
