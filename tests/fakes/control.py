"""The HTTP addresses under `/control/`, by which another process drives a fake.

All take and give JSON; a person is made when first named. Errors come as 400 with `error`.

    GET  /control/people                       everybody, with the number of messages
    GET  /control/chat?person=7                the chat as shown now, with buttons
    GET  /control/counters                     calls, sent, earned_429, duplicates
    POST /control/person  {id, ...}            the arguments of `fake.person`
    POST /control/say     {person, text}
    POST /control/press   {person, which?, message?}     label, data or index; message id
    POST /control/edit    {person, message, text}
    POST /control/do      {person, act, ...}   act: one of the person's plain acts (block, ...),
                                               with its arguments: join and leave {channel}
    POST /control/fail    {method, kind, ...}  the arguments of `faults.fail`
    POST /control/faults  {repeat?, hold?, ...}  attributes of `faults`
    POST /control/clear   {}                   no more faults
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.fakes.people import Message, Person

PLAIN_ACTS = frozenset({
    "block", "deactivate", "join", "leave", "open_home", "photo", "poison", "start", "unblock",
})  # fmt: skip
FAULT_SETTINGS = frozenset({
    "fresh_event_id", "hold", "hold_seconds", "keep_person_order", "repeat",
})  # fmt: skip


async def answer_control(server: Any, request: web.BaseRequest) -> web.Response:
    """Answer one request of whoever drives the fake."""
    verb = request.path.removeprefix("/control/")
    try:
        given = json.loads(await request.read() or b"{}") if request.method == "POST" else {}
        given.update(request.query)
        return web.json_response(await _carry_out(server, verb, given))
    except (KeyError, ValueError, TypeError, LookupError, AttributeError) as error:
        return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)


async def _carry_out(server: Any, verb: str, given: dict[str, Any]) -> Any:
    if verb == "people":
        return [
            {"id": p.id, "name": p.name, "messages": len(p.chat)} for p in server.people.values()
        ]
    if verb == "counters":
        return {
            "calls": dict(server.calls),
            "sent": len(server.sent),
            "earned_429": server.earned_429,
            "duplicates": server.duplicates,
        }
    if verb == "fail":
        server.faults.fail(given.pop("method"), given.pop("kind"), **given)
        return {"ok": True}
    if verb == "faults":
        for name, value in given.items():
            if name not in FAULT_SETTINGS:
                raise ValueError(f"no such setting: {name}")
            setattr(server.faults, name, value)
        return {"ok": True}
    if verb == "clear":
        server.faults.clear()
        return {"ok": True}
    if verb == "person":
        person = server.person(given.pop("id"), **given)
        return {"id": person.id, "name": person.name}
    person = server.person(given["person"])
    if verb == "chat":
        return [describe(message) for message in person.chat]
    if verb == "say":
        return describe(await person.send(given["text"]))
    if verb == "press":
        message = _message(person, given["message"]) if "message" in given else None
        press = await person.press(given.get("which"), message)
        return {"pressed": press.button.label}
    if verb == "edit":
        await person.edit(_message(person, given["message"]), given["text"])
        return {"ok": True}
    if verb == "do" and given["act"] in PLAIN_ACTS:
        arguments = {name: value for name, value in given.items() if name not in ("person", "act")}
        await getattr(person, given["act"])(**arguments)
        return {"ok": True}
    raise ValueError(f"no such control: {verb}")


def _message(person: Person, message_id: Any) -> Message:
    for message in person.chat:
        if str(message.id) == str(message_id):
            return message
    raise LookupError(f"no message {message_id}")


def describe(message: Message) -> dict[str, Any]:
    """Give one message as JSON-ready values."""
    return {
        "id": message.id,
        "from": "bot" if message.from_bot else "person",
        "text": message.text,
        "buttons": [{"label": b.label, "data": b.data} for b in message.buttons],
        "edits": message.edits,
        "deleted": message.deleted,
        "file": message.filename,
        "date": message.date,
    }
