"""Inviting: every member of a wave at their own time, many in one transaction.

What lives here: who is invited, who is passed over and why. What must not: opening and
closing waves (``waves.py``), or what time is fit for whom (``clock``).

A page of members is one transaction: what is needed to plan them is looked up for all of them
at once, their conversations are begun and written at once, and replies of people are served
between two pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from bot.clock.invitation import counted_since, planned_for
from bot.clock.planning import Planner
from bot.jobs import RunJob
from bot.runner import Runner
from bot.visit import Checkin
from dialogues.effects import Turn
from dialogues.engine import another
from storage.protocol import Candidate, Invited, PassedOver, Store, Wave, Window

__all__ = ["BATCH", "Inviter"]

#: Members looked at in one transaction: as many as take some hundredths of a second.
BATCH = 150

#: Letters and digits by which one look at a wave's members differs from the next.
_ROUND = 3

#: Members of a wave that is looked at for newcomers at every tick; a larger one, less often.
_SMALL = 2_000
_LOOK_AGAIN = timedelta(minutes=1)


class Inviter:
    """Invites the members of waves."""

    def __init__(self, runner: Runner, *, now: Callable[[], datetime]) -> None:
        self._runner = runner
        self._budget = runner.house.budget
        self._now = now
        self._look_again: dict[str, datetime] = {}

    def invite(self, wave: Wave, run: RunJob) -> int:
        """Invite every member who has no invitation yet, also who joined since; give how many
        were invited.
        """
        look_at = self._look_again.get(wave.wave_id)
        if look_at is not None and self._now() < look_at:
            return 0
        n_invited = n_pages = 0
        beside = self._runner.new_id()[:_ROUND]
        after: str | None = ""
        while after is not None:
            ids = f"{beside}{n_pages:05x}"
            invited, after = run(partial(self._page, wave_id=wave.wave_id, after=after, ids=ids))
            n_invited += invited
            n_pages += 1
        if n_pages * BATCH > _SMALL:
            self._look_again[wave.wave_id] = self._now() + _LOOK_AGAIN
        return n_invited

    def _page(self, store: Store, *, wave_id: str, after: str, ids: str) -> tuple[int, str | None]:
        """Invite a page of members; give how many, and where the next page begins.

        Pages go through the members by pseudonym, and the ids of a page begin alike (``ids``),
        after those of the page before: so each commit writes to few pages of the tables. With
        ids at random nearly every row touches one of its own, and 100,000 invitations take
        several times as long. A member's row names the member: their order tells nothing new.
        """
        # The budget holds over all waves: two workers must not count side by side.
        store.hold("inviting")
        wave = store.wave(wave_id)
        survey = store.survey(wave.survey_id, wave.revision) if wave is not None else None
        if wave is None or survey is None or wave.state != "open":
            return 0, None
        candidates, following = store.candidates(
            wave_id,
            consent_revision=survey.consent_revision,
            roles=wave.roles,
            since=counted_since(wave, self._budget, self._now()),
            after=after,
            limit=BATCH,
        )
        checkin = Checkin(survey=survey, cohort=wave.cohort, wave=wave)
        return self._plan(store, checkin, wave, candidates, ids), following

    def _plan(
        self,
        store: Store,
        checkin: Checkin,
        wave: Wave,
        candidates: Sequence[Candidate],
        ids: str,
    ) -> int:
        now = self._now()

        def new_id() -> str:
            return ids + self._runner.new_id()

        planner = Planner(wave, now)
        windows: dict[str, Window] = {}
        passed: list[PassedOver] = []
        for one in candidates:
            planned = planned_for(planner, wave, one.timing, one.earlier, self._budget)
            if isinstance(planned, Window):
                windows[one.respondent_id] = planned
            else:
                passed.append(PassedOver(candidate=one, invitation_id=new_id(), reason=planned))
        store.pass_over(wave.wave_id, passed, at=now)
        asked = [one for one in candidates if one.respondent_id in windows]
        drawer = self._runner.drawer(store, checkin)
        drawer.draw_all([one.respondent_id for one in asked])
        turns = self._first_turns(checkin, wave, now, new_id)
        ready: dict[str, Invited] = {}
        for one in asked:
            window = windows[one.respondent_id]
            invited = Invited(
                candidate=one,
                invitation_id=new_id(),
                turn=turns(one, drawer.draw(one.respondent_id)),
                window=window,
                remind_at=planner.first_look(one.timing, window.due_at),
            )
            ready[invited.invitation_id] = invited
        kept = set(store.invite(wave.wave_id, list(ready.values()), at=now))
        for invitation_id, invited in ready.items():
            if invitation_id not in kept:
                drawer.take_back(invited.candidate.respondent_id)
        drawer.save()
        return len(kept)

    def _first_turns(
        self, checkin: Checkin, wave: Wave, now: datetime, new_id: Callable[[], str]
    ) -> Callable[[Candidate, tuple[str, ...] | None], Turn]:
        """Give what makes first turns; what alike people are shown is made once."""
        made: dict[tuple[object, ...], Turn] = {}

        def first_turn(one: Candidate, draw: tuple[str, ...] | None) -> Turn:
            alike = (one.channel, one.language, one.agreed, one.sector, draw)
            if alike not in made:
                made[alike] = self._runner.first_turn(
                    checkin,
                    channel=one.channel,
                    language=one.language,
                    agreed=one.agreed,
                    sector=one.sector,
                    draw=draw,
                    event_id=f"invite:{wave.wave_id}",
                    now=now,
                    invited=True,
                )
            return another(made[alike], new_id())

        return first_turn
