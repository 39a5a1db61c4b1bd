"""The page on trouble names every check, and only those."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/howto/find-trouble.md").read_text(encoding="utf-8")


def checks() -> set[str]:
    """The names under which checks are shown."""
    names = set()
    for path in (ROOT / "bot" / "doctor").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Assign(targets=[ast.Name(id="check")], value=ast.Constant(value=name)):
                    names.add(name)
                case ast.Call(
                    func=ast.Name(id="ok" | "warning" | "trouble"),
                    args=[ast.Constant(value=name), *_],
                ):
                    names.add(name)
    return names


def test_every_check_is_on_the_page() -> None:
    table = PAGE.partition("| check | finds |")[2].partition("\n## ")[0]
    listed = {
        name.strip()
        for row in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
        for name in row.split(",")
    } - {"---"}
    # A platform or a database that is away altogether is told under its own name.
    assert checks() - {"database", "telegram", "slack", "channels"} == listed
