"""A database with something in it, and short ways to back it up and bring it back."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.backups.making import ENDINGS, Form, make_backup
from storage.backups.restoring import Restored, fill_from, open_backup
from storage.copying import TableSum
from storage.filling import filling_at
from storage.moving import move_all
from storage.open import open_store
from tests.backups.made_up import QUIET
from tests.contract.scenes import tell_all

AT = datetime(2026, 12, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the database and its backups, made once."""
    folder = tmp_path_factory.mktemp("made")
    url = f"sqlite:///{folder}/pulse.db"
    with closing(open_store(url)) as store, store.transaction():
        tell_all(store)
    for form in ("sqlite", "portable"):
        back_up(url, folder / f"backup{ENDINGS[form]}", form)
    return folder


@pytest.fixture
def url(_made: Path, tmp_path: Path) -> str:
    """The address of a database in which two people did everything that leaves a row."""
    shutil.copy2(_made / "pulse.db", tmp_path)
    return f"sqlite:///{tmp_path}/pulse.db"


def back_up(url: str, target: Path, form: Form = "sqlite") -> Path:
    """Make a backup; gives its file."""
    return make_backup(url, target, form=form, at=AT, program="0.1.0", progress=QUIET).path


def ids() -> Callable[[], str]:
    """Fresh ids, one after another."""
    counted = itertools.count()
    return lambda: f"fresh-{next(counted)}"


def bring_back(
    file: Path, to: Path | str, *, replace: bool = False, drop: bool = False
) -> Restored:
    """Verify a backup and bring it back, into a file or into the database of an address."""
    url = to if isinstance(to, str) else f"sqlite:///{to}"
    with open_backup(file) as backup:
        backup.verify(QUIET)
        with filling_at(url, replace=replace, at=AT) as filling:
            return fill_from(backup, filling, at=AT, new_id=ids(), drop=drop, progress=QUIET)


def move(source_url: str, target_url: str) -> list[TableSum]:
    """Copy everything into another database."""
    return move_all(source_url, target_url, name="the source", at=AT, progress=QUIET)


@pytest.fixture(params=["sqlite", "portable"])
def form(request: pytest.FixtureRequest) -> Form:
    """Each form that every engine's reader can be given back from."""
    form: Form = request.param
    return form


@pytest.fixture
def backup(_made: Path, url: str, form: Form, tmp_path: Path) -> Path:
    """A backup of the database, beside it."""
    return Path(shutil.copy2(_made / f"backup{ENDINGS[form]}", tmp_path))
