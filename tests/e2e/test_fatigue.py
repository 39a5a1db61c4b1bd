"""One person, two pulses: who was asked enough lately is not asked again, and it is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.e2e.house import House
from tests.e2e.test_waves import OPEN, SMALL, joined, plan
from tests.fakes.telegram import FakeTelegram

Build = Callable[..., House]

OTHER = SMALL.replace('"small"', '"other"').replace("[consent]", "[other consent]")


async def test_over_two_pulses_nobody_is_asked_more_often_than_the_budget_allows(
    build: Build, telegram: FakeTelegram
) -> None:
    ann, carl = (telegram.person(n, first_name=f"T{n}") for n in (7, 8))
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    second = f"""
[[cohort]]
name = "hill"
telegram_code = "hill"
survey = "open"

[[pulse]]
name = "second"
survey = "other"
cohorts = ["riverside", "hill"]
cron = "0 12 {tomorrow.day} {tomorrow.month} *"
"""
    house = build(telegram=telegram, surveys=[OPEN, SMALL, OTHER], more=plan() + second)
    running = await house.run()
    await joined(ann)
    await joined(carl, code="hill")
    opened = await house.pulse("wave", "open", "monthly")
    assert "1 person to invite. " in opened.out, opened.err
    await ann.wait_for(lambda m: "[consent]" in m.text)

    # What is to come says so before it happens.
    ahead = await house.pulse("forecast", "--pulse", "second", "--days", "3")
    waves = {name: f"second-{name}-{tomorrow}" for name in ("riverside", "hill")}
    assert f"{waves['riverside']}: invitation to 0; not to 1 (1 asked enough lately)" in ahead.out
    assert f"{waves['hill']}: invitation to 1; from" in ahead.out

    opened = await house.pulse("wave", "open", "second")
    assert "0 people to invite; not invited: 1 asked enough lately." in opened.out, opened.err
    await carl.wait_for(lambda m: "[other consent]" in m.text)
    shown = await house.pulse("wave", "status", "--json")
    found = {(one["pulse"], one["cohort"]): one for one in json.loads(shown.out)}
    missed = found["second", "riverside"]
    assert (missed["invited"], missed["states"]) == (0, {"rejected": 1})
    assert missed["sending"]["invitations_sent"] == 0
    assert missed["not_invited"] == {"fatigue": 1}
    assert (
        found["second", "hill"]["not_invited"] == found["monthly", "riverside"]["not_invited"] == {}
    )
    assert await running.terminate() == 0

    assert not [m for m in ann.shown if "[other consent]" in m.text]
    assert len([m for m in ann.shown if "[consent]" in m.text]) == 1
    [step] = house.rows("select * from dispositions where reason is not null")
    assert (step["state"], step["reason"]) == ("rejected", "fatigue")
