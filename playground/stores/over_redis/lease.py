"""The turn that one process of all has: its lease, the wait for it, and its end in one step."""

from __future__ import annotations

from secrets import token_hex
from time import monotonic
from typing import Any, Final

from redis.exceptions import ResponseError

from engine.errors import Unavailable
from playground.stores.backend import Clock
from playground.stores.over_redis import scripts
from playground.stores.over_redis.link import ERRORS, GONE, Address, Link, trouble
from playground.stores.over_redis.pending import Pending

LEASE: Final = 10_000
"""How long a turn is ours without a sign of life, milliseconds; one that asks something is renewed."""
PATIENCE: Final = 15.0
"""How long a turn waits for others, seconds; longer than a lease, so that whoever has vanished is outlived."""
_LINE: Final = 1000
"""How long a place in line is kept, milliseconds."""
_LOOKS: Final = (0.02, 0.2)
"""How long one waits to be woken, seconds: at first, and from then on."""
_LOST: Final = (
    "The turn outlived its lease in Redis, and another server has written; nothing of it has happened."
)


class Lease:
    """The part of `playground.stores.over_redis.database.RedisDatabase` that opens and ends turns.

    Args:
        where: The address of a database that has been opened (`playground.stores.over_redis.opening`).
    """

    name = "redis"
    shared = True
    passing = False

    def __init__(self, where: Address) -> None:
        self.link = Link(where)
        self.where = where
        self.shown = where.shown
        self.channel = f"{where.prefix}:changes"
        self.writer = token_hex(8)
        self.open = False
        self.pending = Pending()
        self._closed = False
        self._clock: Clock | None = None
        self._next: Clock | None = None
        self._lock = self._mark = b""
        self._until = 0.0

    def begin(self) -> None:
        """Have the turn, as soon as those before have had theirs.

        Raises:
            Unavailable: Redis does not answer, or another server does not let go.
        """
        if self._closed:
            raise Unavailable("The server is stopping.")
        known = self.link.connected
        try:
            try:
                self._acquire()
            except GONE:
                self.link.drop()
                if not known:
                    raise
                self._acquire()  # Redis was started again meanwhile, or has hung up on somebody idle
        except ERRORS as error:
            raise trouble(error) from error

    def _acquire(self) -> None:
        self._mark = token_hex(12).encode()
        dead, end, tries = b"", monotonic() + PATIENCE, 0
        if not self.link.connected:
            self.link.ask("PING")
        self._lock = b"%s %s" % (self._mark, self.link.client)
        while True:
            asked = monotonic()
            got, found = self.link.run(scripts.ACQUIRE, self.writer, self._lock, LEASE, dead, _LINE)
            if got:
                break
            if asked > end:
                raise Unavailable("Another server has the database in Redis, and does not let go.")
            if self.link.ask("BLPOP", f"{self.where.prefix}:wake:{self.writer}", _LOOKS[tries > 0]) is None:
                dead = found if self._vanished(found) else b""
            tries += 1
        if None in found:
            self._let_go(b"")
            raise Unavailable("The database is gone from Redis; restart the server to begin a new one.")
        *numbers, mark = found
        seq, stamp, event, counted, instant = map(int, numbers)
        self._clock = Clock(seq, stamp, event, counted, instant, mark)
        self._until = asked + LEASE / 1000
        self.pending = Pending()
        self.open = True

    def _vanished(self, lock: bytes) -> bool:
        """Whether Redis has no connection any more to the one whose lock this is: its process was killed."""
        _, _, holder = lock.partition(b" ")
        run, _, client = holder.partition(b" ")
        if not client.isdigit():  # nobody has it, another is before us; or its connection has no name
            return False
        if run != self.link.client.partition(b" ")[0]:
            return True  # it was a connection to a Redis that has ended since
        try:
            return not self.link.ask("CLIENT", "LIST", "ID", client)
        except ResponseError:  # not let
            return False

    def probe(self) -> None:
        """See that Redis would take changes.

        Raises:
            Unavailable: It would not.
        """
        self._renew()

    def clock(self) -> Clock | None:
        """The whole, as it was when the turn began: nobody else changes it meanwhile."""
        return self._clock

    def put_clock(self, clock: Clock) -> Any:
        """Have the commit replace the clock; its mark is the turn's own."""
        self._next = clock
        return self._mark

    def ask(self, *words: Any) -> Any:
        """The answer to a command, in the turn.

        Raises:
            Unavailable: There is none.
        """
        if monotonic() > self._until - LEASE / 2000:
            self._renew()
        try:
            return self.link.ask(*words)
        except ERRORS as error:
            raise trouble(error) from error

    def run(self, script: scripts.Script, *values: Any) -> Any:
        """The answer of a script, in the turn.

        Raises:
            Unavailable: There is none.
        """
        if monotonic() > self._until - LEASE / 2000:
            self._renew()
        try:
            return self.link.run(script, *values)
        except ERRORS as error:
            raise trouble(error) from error

    def _renew(self) -> None:
        asked = monotonic()
        try:
            kept = self.link.run(scripts.RENEW, self._lock, self._began, LEASE)
        except ERRORS as error:
            raise trouble(error) from error
        if not kept:
            raise Unavailable(_LOST)
        self._until = asked + LEASE / 1000

    def commit(self) -> None:
        """Make everything since `begin` last, in one step.

        Raises:
            Unavailable: It did not; nothing of it has happened.
        """
        try:
            done = self._let_go(self._began) if self._next is None else self._write()
        except ERRORS as error:
            raise trouble(error) from error
        if not done:
            raise Unavailable(_LOST)
        self.open, self._next = False, None

    def _let_go(self, began: bytes) -> Any:
        return self.link.run(scripts.RELEASE, self._lock, began)

    @property
    def _began(self) -> bytes:
        """The mark that the turn began with."""
        mark: bytes = b"" if self._clock is None else self._clock.version
        return mark

    def _write(self) -> Any:
        numbers = dict(zip(scripts.CLOCK, self._next or (), strict=True))
        numbers.pop("mark")
        self.pending.last.append(
            ("HSET", ":clock", [str(part).encode() for pair in numbers.items() for part in pair])
        )
        told = [self._lock, self._began, self._mark, self.writer, *self.pending.arguments()]
        try:
            return self.link.run(scripts.COMMIT, *told)
        except GONE:  # it may have happened; asked again, the script knows
            self.link.drop()
            return self.link.run(scripts.COMMIT, *told)

    def rollback(self) -> None:
        """Forget everything since `begin`, and let others have their turn; never raises."""
        if self.open and self.link.connected:
            try:
                self._let_go(b"")
            except ERRORS:
                self.drop()
        self.open, self._next = False, None
        self.pending = Pending()

    def drop(self) -> None:
        """Give the connection up; the next `begin` makes another."""
        self.open = False
        self.link.drop()

    def close(self) -> None:
        """Let go of Redis for good."""
        self._closed = True
        self.drop()
