"""What the store asks, in Redis: each answer is what Redis has, with the turn's own changes laid over it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from engine.lifecycle import STATES
from playground.stores import rows
from playground.stores.backend import LAST, Found, Page, Which
from playground.stores.over_redis import scripts
from playground.stores.over_redis.changes import Changes
from playground.stores.over_redis.link import Address
from playground.stores.over_redis.members import (
    BORN,
    DUE,
    END,
    HERE,
    PLACE,
    QUEUE,
    READY,
    SEEN,
    SETS,
    UNIQUE,
    found,
    keyed,
    members,
    name,
    number,
    numbered,
    which,
    word,
)
from playground.stores.over_redis.pending import between
from playground.stores.rows import Row
from playground.stores.tallies import KIND

AHEAD: Final = 100
"""How many of those due first are asked for at a time."""
_PLACES: Final = (*STATES, rows.DEAD)


class RedisDatabase(Changes):
    """`playground.stores.backend.Backend` over Redis.

    Args:
        where: The address of a database that has been opened (`playground.stores.over_redis.opening`).
    """

    def __init__(self, where: Address) -> None:
        super().__init__(where)
        self._heads: dict[str, _Head] = {}  # as Redis has them, so they begin anew with each turn

    def begin(self) -> None:
        """Have the turn; see `playground.stores.over_redis.lease.Lease.begin`."""
        super().begin()
        self._turned, self._heads = {}, {}

    def clear(self) -> None:
        """Remove everything but the events and the clock."""
        super().clear()
        self._heads = {}

    # sets

    def members(
        self, key: str, low: bytes, high: bytes, limit: int, *, newest: bool = False, fresh: bool = False
    ) -> list[bytes]:
        """Members of a set from ``low`` to before ``high``, with the turn's changes.

        Args:
            key: The set's.
            low: The first.
            high: After the last.
            limit: Most.
            newest: The last ones first.
            fresh: Only what Redis has.
        """
        changed = None if fresh else self.pending.sets.get(key)
        gone = [] if changed is None else between(changed.gone, low, high)
        got: list[bytes] = []
        if not self.pending.cleared:
            edges = (b"(" + high, b"[" + low) if newest else (b"[" + low, b"(" + high)
            verb = "ZREVRANGEBYLEX" if newest else "ZRANGEBYLEX"
            got = self.ask(verb, self.where.prefix + key, *edges, "LIMIT", 0, limit + len(gone))
        if changed is None:
            return got
        hidden = set(gone)
        got = [one for one in got if one not in hidden] + between(changed.added, low, high)
        got.sort(reverse=newest)
        return got[:limit]

    def _jobs(self, numbers: Sequence[bytes]) -> list[bytes]:
        """The values of jobs."""
        if not numbers:
            return []
        mine = self.pending.hashes.get(":job", {})
        wanted = [one for one in numbers if one not in mine]
        got: dict[bytes, bytes] = {}
        if wanted and not self.pending.cleared:
            values = self.ask("HMGET", self.where.prefix + ":job", *wanted)
            got = dict(zip(wanted, values, strict=True))
        return [one for number in numbers if (one := mine.get(number, got.get(number))) is not None]

    def _range(
        self, key: str, low: bytes, high: bytes, *, limit: int, offset: int = 0, newest: bool = False
    ) -> list[Found]:
        """The jobs of a part of a set."""
        changed = self.pending.sets.get(key)
        touched = changed is not None and (
            between(changed.gone, low, high) or between(changed.added, low, high)
        )
        if touched or self.pending.hashes.get(":job") or self.pending.cleared:
            numbers = [
                one[-8:] for one in self.members(key, low, high, limit + offset, newest=newest)[offset:]
            ]
            return [found(one, kept) for one, kept in zip(numbers, self._jobs(numbers), strict=True)]
        got, *_ = self.run(scripts.PAGE, key, low, high, limit, offset, int(newest))
        return [found(got[at][-8:], got[at + 1]) for at in range(0, len(got), 2)]

    # questions

    def kept(self, row: Row) -> Sequence[Any]:
        """Where a job that has just been read belongs."""
        return members(row)

    def tallies(self) -> Iterable[tuple[str, str, str, int]]:
        """All counts."""
        got = self.ask("HGETALL", self.where.prefix + ":tally")
        for at in range(0, len(got), 2):
            queue, kind, what = got[at].decode().split("\0")
            if kind == KIND:
                self._kinds.add(rows.plain(what))
            yield rows.plain(queue), kind, rows.plain(what), int(got[at + 1])

    def events(self, after: int) -> list[str]:
        """Bodies of the events after a number."""
        got = self.ask("ZRANGEBYLEX", self.where.prefix + ":events", b"[" + number(after + 1), "+")
        return [member[8:].decode() for member in got]

    def job(self, job_id: str) -> Found | None:
        """The job of this id."""
        field = name(job_id)
        ids = self.pending.hashes.get(":id", {})
        if field in ids or self.pending.cleared:
            born = ids.get(field)
            return None if born is None else found(born, *self._jobs([born]))
        got = self.run(scripts.JOB, field)
        if got is None:
            return None
        return found(got[0], self.pending.hashes.get(":job", {}).get(got[0]) or got[1])

    def ready(self, queue: str, lane: str, limit: int) -> Sequence[Found]:
        """The available jobs of a queue and lane that go first."""
        low = name(queue) + word(lane)
        return self._range(SETS[READY], low, low + END, limit=limit)

    def holder(self, key: str, place: str) -> Found | None:
        """The newest job in a place with a unique key."""
        low = word(key) + word(place)
        got = self._range(SETS[UNIQUE], low, low + END, limit=1, newest=True)
        return got[0] if got else None

    def unique(self, before: int, limit: int) -> Sequence[tuple[int, str, str]]:
        """Of jobs with unique keys, those that came last to their places."""
        got = self.members(SETS[SEEN], b"", number(before), limit, newest=True)
        parts = [(one, one[8:].decode().partition("\0")) for one in got]
        return [(numbered(one, 0), key, place) for one, (key, _, place) in parts]

    def page(self, page: Page) -> Sequence[Found]:
        """A part of a list."""
        born = page.order == "born"
        low = b"" if page.queue is None else name(page.queue)
        if born:
            key = SETS[BORN if page.queue is None else QUEUE]
        else:
            key = SETS[PLACE if page.queue is None else HERE]
            low += word(page.places[0])
        high = low + END
        if page.few and born:
            return self._few(page, low)
        if page.newest:
            high = low + number(page.start) if page.start != LAST else high
        elif page.start != -LAST:
            low += number(page.start + 1)
        if page.type is None and not (born and page.places):
            return self._range(key, low, high, limit=page.limit, offset=page.offset, newest=page.newest)
        return self._some(page, key, low, high)

    def _few(self, page: Page, low: bytes) -> list[Found]:
        """Jobs by their birth, of places that have few: all are listed, and sorted."""
        key = SETS[PLACE if page.queue is None else HERE]
        numbers: list[bytes] = []
        for place in page.places:
            start = low + word(place)
            numbers += [one[-8:] for one in self.members(key, start, start + END, 1 << 40)]
        start = number(page.start)
        numbers = sorted(
            (one for one in numbers if (one < start if page.newest else one > start)), reverse=page.newest
        )
        wanted = None if page.type is None else tuple(_beginnings(page))
        passed, kept = page.offset, list[Found]()
        size = max(page.limit, AHEAD)
        if wanted is None:
            numbers, passed, size = numbers[passed : passed + page.limit], 0, page.limit
        for at in range(0, len(numbers), size):
            some = numbers[at : at + size]
            for one, job in zip(some, self._jobs(some), strict=True):
                if wanted is not None and not job.startswith(wanted):
                    continue
                if passed:
                    passed -= 1
                    continue
                kept.append(found(one, job))
                if len(kept) == page.limit:
                    return kept
        return kept

    def _some(self, page: Page, key: str, low: bytes, high: bytes) -> list[Found]:
        """Those of a part of a set whose values begin in one of some ways; Redis looks through them."""
        wanted, index = tuple(_beginnings(page)), SETS.index(key)
        mine = [
            (at, job)
            for belongs, job in self._turned.values()
            if (at := belongs[index]) is not None and low <= at < high and job.startswith(wanted)
        ]
        hidden = self.pending.hashes.get(":job", {})
        skip = page.offset if hidden or self.pending.cleared else 0
        passed, need = page.offset - skip, page.limit + skip
        got: list[tuple[bytes, bytes]] = []
        going = not self.pending.cleared
        while going and len(got) < need:
            most = need - len(got) + len(hidden)
            part, end, passed = self.run(
                scripts.PAGE, key, low, high, most, passed, int(page.newest), *wanted
            )
            got += [(part[at], part[at + 1]) for at in range(0, len(part), 2) if part[at][-8:] not in hidden]
            low, high = (low, end) if page.newest else (end + b"\0", high)
            going = bool(end)
        got = sorted(got + mine, reverse=page.newest)
        return [found(one[-8:], job) for one, job in got[skip : skip + page.limit]]

    def record(self, one: Which) -> str | None:
        """The body of a record."""
        key, field = f":record:{rows.name(one[0])}", name(one[1])
        mine = self.pending.records.get(key, {})
        if field in mine:
            record = mine[field]
            return None if record is None else record[1].decode()
        if self.pending.cleared:
            return None
        got = self.ask("HGET", self.where.prefix + key, field)
        return None if got is None else got[8:].decode()

    def records(self, kind: str) -> list[tuple[str, str]]:
        """All records of a kind."""
        key = f":record:{rows.name(kind)}"
        got: list[bytes] = []
        if not self.pending.cleared:
            got = self.ask("HGETALL", self.where.prefix + key)
        all_ = {got[at]: (got[at + 1][:8], got[at + 1][8:]) for at in range(0, len(got), 2)}
        for field, record in self.pending.records.get(key, {}).items():
            before = all_.pop(field, None)
            if record is not None:
                born, body, anew = record
                all_[field] = (born if before is None or anew else before[0], body)
        ordered = sorted(all_.items(), key=lambda one: one[1][0])
        return [(rows.plain(field[:-1].decode()), body.decode()) for field, (_, body) in ordered]

    def timer(self, one: Which) -> int | None:
        """When a timer is due."""
        field = keyed(one)
        at = self.pending.timers.get(field)
        if at is None and not self.pending.cleared:
            at = self.ask("HGET", self.where.prefix + ":timer", field)
        return numbered(at, 0) if at else None

    def due(self, jobs: int) -> list[tuple[int, int, str, str]]:
        """The first timer and the first jobs that are due."""
        mine = self.pending.timers
        kept = self._head(":timers").first(1, lambda one: one[16:] in mine)
        timers = sorted([*kept, *(at + field for field, at in mine.items() if at)])[:1]
        first = [(numbered(one, 0), numbered(one, 8), *which(one[16:])) for one in timers]
        changed = self.pending.set(SETS[DUE])
        waiting = self._head(SETS[DUE]).first(jobs, changed.hides)
        waiting = sorted([*waiting, *changed.added[:jobs]])[:jobs]
        for one, job in zip(waiting, self._jobs([one[-8:] for one in waiting]), strict=True):
            job_id = rows.job_from(found(one[-8:], job)[-1]).id
            first.append((numbered(one, 0), numbered(one, 8), "job", job_id))
        return first

    def _head(self, key: str) -> _Head:
        head = self._heads.get(key)
        if head is None:
            head = self._heads[key] = _Head(self, key)
        return head


class _Head:
    """The first members of a set, as Redis has them, read a few at a time: while a turn lasts, they stay the same.

    Args:
        database: Where the set lies.
        key: The set's.
    """

    def __init__(self, database: RedisDatabase, key: str) -> None:
        self._database = database
        self._key = key
        self._members: list[bytes] = []
        self._at = 0
        self._whole = database.pending.cleared

    def first(self, count: int, hides: Callable[[bytes], bool]) -> list[bytes]:
        """The first members that the turn does not hide; what it hides once, it hides to its end."""
        shown: list[bytes] = []
        at = self._at
        while len(shown) < count and self._has(at):
            one = self._members[at]
            if not hides(one):
                shown.append(one)
            elif at == self._at:
                self._at += 1
            at += 1
        return shown

    def _has(self, at: int) -> bool:
        if at == len(self._members) and not self._whole:
            low = self._members[-1] + b"\0" if self._members else b""
            more = self._database.members(self._key, low, END, AHEAD, fresh=True)
            self._members += more
            self._whole = len(more) < AHEAD
        return at < len(self._members)


def _beginnings(page: Page) -> Iterator[bytes]:
    """How the values of the jobs begin that a page is about."""
    kind = b"" if page.type is None else name(page.type)
    for place in page.places or _PLACES:
        yield word(place) + kind
