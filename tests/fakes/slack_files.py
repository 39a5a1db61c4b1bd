"""Files of the fake Slack: uploaded by a link, looked at for a while, then shown in blocks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.pictures import size_of
from tests.fakes.slack_blocks import SlackError

MAX_ALT = 1000


@dataclass(slots=True, eq=False)
class SlackFile:
    """One file.

    Attributes:
        ready_at: When Slack has looked at it; None until the upload was completed.
        shown_in: Channels in which a message shows it.
    """

    id: str
    name: str
    length: int
    alt: str
    content: bytes = b""
    ready_at: float | None = None
    shown_in: list[str] = field(default_factory=list)


class Files:
    """The methods about files; `files` by id, `links` by ticket."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.files: dict[str, SlackFile] = {}
        self.links: dict[str, SlackFile] = {}
        self.methods |= {
            "files.getUploadURLExternal": self._upload_url,
            "files.completeUploadExternal": self._complete_upload,
        }

    def _upload_url(self, params: dict[str, Any]) -> dict[str, Any]:
        self._need_scope("files:write")
        name, alt = str(params.get("filename") or ""), str(params.get("alt_txt") or "")
        length = int(params.get("length") or 0)
        if not name or not length:
            raise SlackError("missing_argument")
        if len(alt) > MAX_ALT:
            raise SlackError("alt_txt_too_large")
        file = SlackFile(f"F{len(self.files) + 1:08d}", name, length, alt)
        self.files[file.id] = file
        ticket = f"ticket-{file.id}"
        self.links[ticket] = file
        return {"upload_url": f"{self.address}/upload/v1/{ticket}", "file_id": file.id}

    async def take_upload(self, request: web.BaseRequest, ticket: str) -> web.Response:
        """Take the content of a file at its link; raw bytes, as many as were announced."""
        self.calls["upload"] += 1
        fault = self.faults.take("upload", {}) if self.faults.rules else None
        if fault is not None:
            return web.Response(status=500)
        file = self.links.get(ticket)
        content = await request.read()
        if file is None or len(content) != file.length:
            return web.Response(status=400)
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    def _complete_upload(self, params: dict[str, Any]) -> dict[str, Any]:
        self._need_scope("files:write")
        listed = params.get("files")
        items = json.loads(listed) if isinstance(listed, str) else listed
        done = []
        for item in items or []:
            file = self.files.get(item["id"])
            if file is None or not file.content:
                raise SlackError("file_not_found")
            file.ready_at = self.clock() + self.file_seconds
            done.append({"id": file.id, "title": item.get("title") or file.name})
        if not done:
            raise SlackError("invalid_arguments")
        return {"files": done}

    def _need_scope(self, scope: str) -> None:
        if scope not in self.scopes:
            raise SlackError("missing_scope")

    def show_files(self, blocks: list[dict[str, Any]], channel: str) -> None:
        """Let blocks show the files that they name, or refuse what cannot be shown (yet)."""
        shown = []
        for number, block in enumerate(blocks):
            if block["type"] != "image" or "slack_file" not in block:
                continue
            file = self.files.get(str(block["slack_file"].get("id")))
            ready = file is not None and file.ready_at is not None
            if not ready or file.ready_at > self.clock() or size_of(file.content) is None:
                where = f"[json-pointer:/blocks/{number}/slack_file]"
                raise SlackError("invalid_blocks", messages=[f"[ERROR] invalid slack file {where}"])
            shown.append(file)
        for file in shown:
            file.shown_in.append(channel)
