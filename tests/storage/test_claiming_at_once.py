"""Several workers claim at once on PostgreSQL: nobody ever has two messages on their way."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from dialogues.errors import StoreConflict
from dialogues.prompts import Prompt
from storage.open import open_store
from storage.protocol import Address, Outgoing, Receipt, Respondent
from storage.store import SqlStore

PEOPLE = 25
WORKERS = 4


def now() -> datetime:
    return datetime.now(UTC)


class Post:
    """What is under way, over all workers, and what has arrived."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[str, str] = {}
        self.arrived: dict[tuple[str, int], list[str]] = defaultdict(list)
        self.together = 0

    def pick_up(self, message: Outgoing, worker_id: str) -> None:
        with self._lock:
            other = self._under_way.get(message.respondent_id)
            assert other is None, f"{message.respondent_id} has two messages on their way"
            self._under_way[message.respondent_id] = worker_id
            self.together = max(self.together, len(set(self._under_way.values())))

    def put_down(self, message: Outgoing) -> None:
        with self._lock:
            del self._under_way[message.respondent_id]

    def deliver(self, message: Outgoing) -> None:
        with self._lock:
            self.arrived[message.respondent_id, message.lane].append(message.prompt.text)


def welcome(store: SqlStore) -> list[Respondent]:
    return [
        store.welcome(
            Address(channel="telegram", platform_id=f"p{number}", chat=f"p{number}"),
            respondent_id=f"p{number:02}",
            role="citizen",
            language="en",
            on=now().date(),
        )
        for number in range(PEOPLE)
    ]


def deliver_all(url: str, post: Post, worker_id: str, left: threading.Event, seed: int) -> int:
    """Claim and send until nothing is left; give how often a claim met another one."""
    chance = random.Random(seed)
    met = 0
    with closing(open_store(url)) as store:
        while True:
            over = left.is_set()
            claimed: list[Outgoing] = []
            try:
                with store.transaction():
                    at = store.clock(now())
                    until = at + timedelta(minutes=2)
                    for lane in chance.sample([0, 1], k=2):
                        claimed += store.claim_outbox(
                            "telegram", lane=lane, limit=chance.randint(1, 6), now=at,
                            until=until, worker_id=worker_id,
                        )  # fmt: skip
            except StoreConflict:
                met += 1
                continue
            for message in claimed:
                post.pick_up(message, worker_id)
            for message in claimed:
                time.sleep(chance.uniform(0, 0.003))
                outcome = chance.choice(["sent", "sent", "sent", "retry", "put_back"])
                if outcome == "sent":
                    post.deliver(message)
                receipt = Receipt(outbox_id=message.outbox_id, outcome=outcome, retry_at=now())
                # Whoever claims the next one may do so as soon as this is committed.
                post.put_down(message)
                with store.transaction():
                    store.settle([receipt], now=now(), worker_id=worker_id)
            if over and not claimed and not store.letters(limit=1):
                return met
            if not claimed:
                time.sleep(0.002)


@pytest.mark.parametrize("seed", [1, 2])
def test_everything_arrives_once_and_in_order_whoever_sends_it(
    postgres_url: str, seed: int
) -> None:
    chance = random.Random(seed)
    said: dict[tuple[str, int], list[str]] = defaultdict(list)
    post, left = Post(), threading.Event()
    with closing(open_store(postgres_url)) as store, ThreadPoolExecutor(WORKERS) as pool:
        people = welcome(store)
        workers = [
            pool.submit(deliver_all, postgres_url, post, f"w{number}", left, seed * 100 + number)
            for number in range(WORKERS)
        ]
        for number in range(200):
            respondent = chance.choice(people)
            lane = chance.choice([0, 0, 1])
            texts = [f"{number}.{part}" for part in range(chance.randint(1, 3))]
            said[respondent.respondent_id, lane] += texts
            with store.transaction():
                store.say(respondent, [Prompt(text=text) for text in texts], at=now(), lane=lane)
            if chance.random() < 0.2:
                time.sleep(0.01)
        left.set()
        met = sum(worker.result(60) for worker in workers)
    assert dict(post.arrived) == dict(said)
    assert post.together > 1
    # The index that forbids it is the last resort, and was not needed.
    assert met == 0


def test_a_claim_that_slips_through_is_refused_by_the_table(postgres_url: str) -> None:
    with closing(open_store(postgres_url)) as store:
        ann = welcome(store)[0]
        store.say(ann, [Prompt(text="one"), Prompt(text="two")], at=now())
        with pytest.raises(StoreConflict), store.transaction():
            store._driver.run("update outbox set state = 'claimed', claimed_by = 'w'", {})
        assert Counter(letter.state for letter in store.letters()) == {"pending": 2}
