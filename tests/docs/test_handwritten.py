"""What the hand-written documents point at is there, and what they list is complete."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(path for path in (ROOT / "docs").rglob("*.md"))],
)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)")
MANIFEST = (ROOT / "docs" / "slack-manifest.yaml").read_text(encoding="utf-8")


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a document."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target, anchor in LINK.findall(document.read_text(encoding="utf-8")):
        place = (document.parent / target) if target else document
        assert place.exists(), target
        if anchor:
            assert anchor in anchors(place), f"{target}#{anchor}"


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        if document in reached:
            continue
        reached.add(document)
        for target, _ in LINK.findall(document.read_text(encoding="utf-8")):
            place = (document.parent / target).resolve()
            if place.is_dir():
                waiting += place.glob("*.md")
            elif place.suffix == ".md":
                waiting.append(place)
    assert set(DOCUMENTS) <= reached


def test_every_decision_is_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    for record in folder.glob("0*.md"):
        title = record.read_text(encoding="utf-8").splitlines()[0]
        number, name = re.fullmatch(r"# (\d{4}): (.*)", title).groups()
        assert f"| [{number}]({record.name}) | {name} |" in listed


def test_the_tutorial_explains_every_scope_of_the_manifest() -> None:
    scopes = re.search(r"scopes:\n\s+bot:\n((?:\s+- [\w:]+\n)+)", MANIFEST).group(1)
    tutorial = (ROOT / "docs" / "tutorial-slack.md").read_text(encoding="utf-8")
    table = {
        name
        for row in tutorial.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`([\w:]+)`", row.split("|")[1])
    }
    assert set(re.findall(r"- ([\w:]+)", scopes)) <= table


def test_the_manifest_needs_no_public_address() -> None:
    assert "socket_mode_enabled: true" in MANIFEST
    assert "messages_tab_enabled: true" in MANIFEST
    assert "request_url" not in MANIFEST


def test_the_other_manifest_differs_by_the_address_alone() -> None:
    other = (ROOT / "docs" / "slack-manifest-http.yaml").read_text(encoding="utf-8")
    lines = [line for line in other.splitlines() if not line.startswith("#")]
    addresses = [line.strip() for line in lines if "https://" in line]
    assert addresses == [
        "url: https://pulse.example.org/slack/events",
        "request_url: https://pulse.example.org/slack/events",
        "request_url: https://pulse.example.org/slack/events",
    ]
    same = "\n".join(line for line in lines if "https://" not in line)
    same = same.replace("socket_mode_enabled: false", "socket_mode_enabled: true")
    assert same.splitlines() == [line for line in MANIFEST.splitlines() if not line.startswith("#")]


def test_the_example_configuration_holds_no_secret() -> None:
    example = tomllib.loads((ROOT / "config.example.toml").read_text(encoding="utf-8"))
    secrets = ["token", "bot_token", "app_token", "signing_secret", "webhook_secret"]
    found = {key: value for t in ("telegram", "slack") for key, value in example[t].items()}
    assert {key: found[key] for key in secrets} == dict.fromkeys(secrets, "")
