"""The fakes as programs: serve until stopped, or talk as a person in the terminal."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import threading
from typing import Any

from tests.fakes.people import Message, Person

HELP = """\
Type as a person; the bot sees it. Beside words:
  #2            press the button with number 2 of the bot's newest message
  #2 14         press button 2 of message 14 (the number in front of it)
  :edit WORDS   change your last message     :photo   send a picture
  :block  :unblock                           :slash /pulse WORDS   (Slack)
  :chat         the whole chat again         :help    this     :quit"""


def build(platform: str, options: argparse.Namespace) -> tuple[Any, dict[str, str]]:
    """Make a fake, and say what a bot's configuration needs to reach it."""
    if platform == "telegram":
        from tests.fakes.telegram import FakeTelegram

        telegram = FakeTelegram(options.token, limits=not options.no_limits, port=options.port)
        return telegram, {"token": options.token}
    from tests.fakes.slack import FakeSlack

    slack = FakeSlack(limits=not options.no_limits, port=options.port)
    return slack, {"bot_token": slack.bot_token, "app_token": slack.app_token}


def main(platform: str) -> None:
    """Run a fake until it is interrupted."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.fakes.{platform}")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default="123:TEST", help="Telegram's bot token")
    parser.add_argument("--no-limits", action="store_true", help="no rate limits")
    parser.add_argument("--chat", action="store_true", help="talk as a person here")
    parser.add_argument("--person", default="", help="who you are: an id (7, or U7 in Slack)")
    parser.add_argument("--language", default="en")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(platform, parser.parse_args()))


async def _serve(platform: str, options: argparse.Namespace) -> None:
    fake, secrets = build(platform, options)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with fake:
        base = fake.base_url if platform == "telegram" else fake.api_base_url
        print(json.dumps({"platform": platform, "api_base_url": base, **secrets}), flush=True)
        if options.chat:
            person = (
                fake.person(int(options.person or 7), language_code=options.language)
                if platform == "telegram"
                else fake.person(options.person or "U7", locale=options.language)
            )
            await _talk(person, stop)
        else:
            await stop.wait()


def _read_lines(loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[str]) -> None:
    for line in sys.stdin:
        loop.call_soon_threadsafe(lines.put_nowait, line.rstrip("\n"))
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(lines.put_nowait, ":quit")


async def _talk(person: Person, stop: asyncio.Event) -> None:
    print(HELP, flush=True)
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    threading.Thread(target=_read_lines, args=(loop, lines), daemon=True).start()
    seen: dict[Any, tuple[str, tuple[str, ...], bool]] = {}
    numbers: dict[str, Message] = {}
    while not stop.is_set():
        _print_news(person, seen, numbers)
        try:
            line = await asyncio.wait_for(lines.get(), 0.1)
        except TimeoutError:
            continue
        if line == ":quit":
            return
        if line == ":chat":
            seen.clear()
        try:
            await _do(person, line, numbers)
        except (LookupError, ValueError, AttributeError) as error:
            print(f"? {error}", flush=True)


def _print_news(
    person: Person, seen: dict[Any, tuple[str, tuple[str, ...], bool]], numbers: dict[str, Message]
) -> None:
    for number, message in enumerate(person.chat, start=1):
        state = (message.text, tuple(message.labels), message.deleted)
        old = seen.get(message.id)
        if old == state:
            continue
        seen[message.id] = state
        numbers[str(number)] = message
        who = "bot" if message.from_bot else "you"
        what = "deleted" if message.deleted else "changed" if old is not None else ""
        print(f"\n{number} {who} {what}".rstrip(), flush=True)
        if message.deleted:
            continue
        if message.filename or "files" in message.raw or "photo" in message.raw:
            print(f"    (file {message.filename})", flush=True)
        for line in message.text.splitlines():
            print(f"    {line}", flush=True)
        index = 0
        for row in message.rows:
            parts = []
            for button in row:
                index += 1
                parts.append(f"[#{index} {button.label}]")
            print("    " + " ".join(parts), flush=True)
    for press in person.presses:
        if press.toast:
            print(f"    ({press.toast})", flush=True)
            press.toast = ""


async def _do(person: Person, line: str, numbers: dict[str, Message]) -> None:
    word, _, rest = line.partition(" ")
    if word[:1] == "#" and word[1:].isdigit():
        message = numbers[rest.strip()] if rest.strip() else None
        await person.press(int(word[1:]) - 1, message)
    elif word == ":edit":
        own = [m for m in person.chat if not m.from_bot and not m.deleted]
        if not own:
            raise LookupError("you have said nothing yet")
        await person.edit(own[-1], rest)  # type: ignore[attr-defined]
    elif word == ":slash":
        command, _, text = rest.partition(" ")
        if not await person.slash(command, text):  # type: ignore[attr-defined]
            print("? the app did not answer", flush=True)
    elif word in {":photo", ":block", ":unblock"}:
        await getattr(person, word[1:])()
    elif word == ":help":
        print(HELP, flush=True)
    elif line and word != ":chat":
        await person.send(line)
