"""Slack's rules for blocks and views, and what a person can press in them."""

from __future__ import annotations

import html
import json
from typing import Any

from tests.fakes.people import Button

MAX_BLOCKS = 50
MAX_VIEW_BLOCKS = 100
MAX_TOTAL_TEXT = 13_200
ID = 255
BLOCK_TYPES = frozenset({
    "section", "header", "context", "actions", "divider", "image", "input", "markdown",
    "rich_text",
})  # fmt: skip
CHOOSERS = frozenset({
    "static_select", "multi_static_select", "radio_buttons", "checkboxes", "overflow",
})  # fmt: skip
FEW_OPTIONS = frozenset({"radio_buttons", "checkboxes"})


class SlackError(Exception):
    """A refusal in Slack's form: `{"ok": false, "error": code}`."""

    def __init__(self, code: str, *, messages: list[str] | None = None, retry_after: int = 0):
        super().__init__(code)
        self.code = code
        self.messages = messages or []
        self.retry_after = retry_after


class _Check:
    """Collects what is wrong, each with its place, and the length of all text."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.total = 0

    def say(self, what: str, where: str) -> None:
        self.wrong.append(f"[ERROR] {what} [json-pointer:{where}]")

    def string(self, value: Any, where: str, most: int, least: int = 0) -> None:
        if not isinstance(value, str):
            self.say("must be a string", where)
        elif len(value) > most:
            self.say(f"must be less than {most + 1} characters", where)
        elif len(value) < least:
            self.say(f"must be more than {least - 1} characters", where)

    def text(self, value: Any, where: str, most: int, *, plain: bool = False) -> None:
        if not isinstance(value, dict) or "text" not in value:
            self.say("missing required field: text", where)
            return
        kinds = {"plain_text"} if plain else {"plain_text", "mrkdwn"}
        if value.get("type") not in kinds:
            self.say(f"must be of type {' or '.join(sorted(kinds))}", f"{where}/type")
        self.string(value["text"], f"{where}/text", most, 1)
        self.total += len(str(value["text"]))

    def element(self, element: Any, where: str) -> None:
        if not isinstance(element, dict) or "type" not in element:
            self.say("missing required field: type", where)
            return
        if "action_id" in element:
            self.string(element["action_id"], f"{where}/action_id", ID, 1)
        if element["type"] == "button":
            self.text(element.get("text"), f"{where}/text", 75, plain=True)
            if "value" in element:
                self.string(element["value"], f"{where}/value", 2000)
            if element.get("style", "primary") not in {"primary", "danger"}:
                self.say("unknown style", f"{where}/style")
        elif element["type"] in CHOOSERS:
            options = element.get("options") or []
            if not 1 <= len(options) <= (10 if element["type"] in FEW_OPTIONS else 100):
                self.say("wrong number of options", f"{where}/options")
            for number, option in enumerate(options):
                at = f"{where}/options/{number}"
                self.text(option.get("text"), f"{at}/text", 75)
                self.string(option.get("value"), f"{at}/value", 150, 1)

    def elements(self, block: dict[str, Any], where: str, most: int) -> None:
        elements = block.get("elements") or []
        if not elements:
            self.say("no fewer than 1 items allowed", f"{where}/elements")
        if len(elements) > most:
            self.say(f"no more than {most} items allowed", f"{where}/elements")
        seen = set()
        for number, element in enumerate(elements):
            at = f"{where}/elements/{number}"
            if block["type"] == "context":
                if element.get("type") != "image":
                    self.text(element, at, 2000)
                continue
            self.element(element, at)
            action_id = element.get("action_id")
            if action_id is not None and action_id in seen:
                self.say(f"`action_id` {action_id} already exists", f"{at}/action_id")
            seen.add(action_id)

    def block(self, block: Any, where: str) -> None:
        if not isinstance(block, dict) or block.get("type") not in BLOCK_TYPES:
            self.say("unsupported type", f"{where}/type")
            return
        kind = block["type"]
        if kind == "section":
            if "text" not in block and not block.get("fields"):
                self.say("missing required field: text", where)
            if "text" in block:
                self.text(block["text"], f"{where}/text", 3000)
            fields = block.get("fields") or []
            if len(fields) > 10:
                self.say("no more than 10 items allowed", f"{where}/fields")
            for number, item in enumerate(fields):
                self.text(item, f"{where}/fields/{number}", 2000)
            if "accessory" in block:
                self.element(block["accessory"], f"{where}/accessory")
        elif kind == "header":
            self.text(block.get("text"), f"{where}/text", 150, plain=True)
        elif kind == "context":
            self.elements(block, where, 10)
        elif kind == "actions":
            self.elements(block, where, 25)
        elif kind == "markdown":
            self.string(block.get("text"), f"{where}/text", 12_000, 1)
            self.total += len(str(block.get("text", "")))
        elif kind == "image":
            self.string(block.get("alt_text"), f"{where}/alt_text", 2000, 1)
            if ("image_url" in block) == ("slack_file" in block):
                self.say("exactly one of image_url and slack_file", where)
        elif kind == "input":
            self.text(block.get("label"), f"{where}/label", 2000, plain=True)
            self.element(block.get("element"), f"{where}/element")


def check_blocks(value: Any, most: int = MAX_BLOCKS) -> list[dict[str, Any]]:
    """Read blocks (a list, or one as JSON text) and refuse what Slack refuses.

    Gives them with the block and action ids that Slack adds where they are missing.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise SlackError("invalid_blocks_format") from None
    if not isinstance(value, list):
        raise SlackError("invalid_blocks_format")
    check = _Check()
    if len(value) > most:
        check.say(f"no more than {most} items allowed", "/blocks")
    seen: set[str] = set()
    blocks = []
    for number, block in enumerate(value):
        where = f"/blocks/{number}"
        check.block(block, where)
        if check.wrong:
            break
        block_id = block.get("block_id") or f"auto-{number}"
        check.string(block_id, f"{where}/block_id", ID)
        if block_id in seen:
            check.say(f"`block_id` {block_id} already exists", f"{where}/block_id")
        seen.add(block_id)
        block = {**block, "block_id": block_id}
        if block["type"] == "actions":
            block["elements"] = [
                {"action_id": f"auto-{place}", **element}
                for place, element in enumerate(block["elements"])
            ]
        blocks.append(block)
    if check.wrong:
        raise SlackError("invalid_blocks", messages=check.wrong)
    if check.total > MAX_TOTAL_TEXT:
        raise SlackError("msg_blocks_too_long")
    return blocks


def check_view(value: Any) -> dict[str, Any]:
    """Read a view and refuse what Slack refuses."""
    try:
        view = json.loads(value) if isinstance(value, str) else dict(value)
    except (TypeError, ValueError):
        raise SlackError("invalid_arguments") from None
    check = _Check()
    if view.get("type") not in {"modal", "home"}:
        check.say("must be modal or home", "/view/type")
    if view.get("type") == "modal":
        check.text(view.get("title"), "/view/title", 24, plain=True)
        for name in ("submit", "close"):
            if name in view:
                check.text(view[name], f"/view/{name}", 24, plain=True)
    check.string(view.get("private_metadata", ""), "/view/private_metadata", 3000)
    check.string(view.get("callback_id", ""), "/view/callback_id", ID)
    if check.wrong:
        raise SlackError("invalid_arguments", messages=check.wrong)
    view["blocks"] = check_blocks(view.get("blocks"), MAX_VIEW_BLOCKS)
    if len(json.dumps(view).encode()) > 250_000:
        raise SlackError("view_too_large")
    return view


def buttons_of(blocks: list[dict[str, Any]]) -> list[list[Button]]:
    """Give what can be pressed, a row for each block: buttons, and options to choose."""
    rows = []
    for block in blocks:
        elements = list(block.get("elements", [])) if block["type"] == "actions" else []
        elements += [block[name] for name in ("accessory", "element") if name in block]
        row = []
        for element in elements:
            common = {
                "action_id": element.get("action_id", ""),
                "block_id": block["block_id"],
                "kind": element["type"],
            }
            if element["type"] == "button":
                row.append(
                    Button(
                        label=shown(element["text"]["text"]),
                        data=element.get("value", ""),
                        url=element.get("url", ""),
                        raw=element,
                        **common,
                    )
                )
            for option in element.get("options", []) if element["type"] in CHOOSERS else []:
                label = shown(option["text"]["text"])
                row.append(Button(label=label, data=option["value"], raw=option, **common))
        if row:
            rows.append(row)
    return rows


def shown(text: str) -> str:
    """Give a text as the person sees it: Slack's three escapes undone."""
    return html.unescape(text) if "&" in text else text


def text_of(blocks: list[dict[str, Any]]) -> str:
    """Give the words of blocks, a line for each."""
    lines = []
    for block in blocks:
        parts = [block.get("text"), *block.get("fields", [])]
        if block["type"] == "context":
            parts += block.get("elements", [])
        for part in parts:
            words = part.get("text") if isinstance(part, dict) else part
            if isinstance(words, str):
                lines.append(shown(words))
    return "\n".join(lines)
