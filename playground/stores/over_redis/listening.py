"""What other processes on one database in Redis do, by pub/sub; a lease says who of them sends webhooks."""

from __future__ import annotations

from time import monotonic
from typing import Any, Final

from redis.exceptions import TimeoutError as Silent

from playground.stores.listening import PAUSE, TOGETHER, Listener
from playground.stores.over_redis import scripts
from playground.stores.over_redis.database import RedisDatabase
from playground.stores.over_redis.link import ERRORS, Link

LEADS: Final = 5_000
"""How long whoever leads does so without a sign of life, milliseconds."""


class RedisListener(Listener):
    """Hears what others write.

    Args:
        database: This process's.
    """

    errors = ERRORS

    def __init__(self, database: RedisDatabase) -> None:
        super().__init__()
        self._link = Link(database.where)
        self._channel, self._mine = database.channel, database.writer

    def _once(self) -> None:
        heard = self._link.raw()
        try:
            heard.send_command("SUBSCRIBE", self._channel)
            heard.read_response()
            self._hear()  # of what was written before
            while not self._ended.is_set():
                self._lead()
                self._listen(heard)
        finally:
            heard.disconnect()
            self._resign()

    def _lead(self) -> None:
        self.leads = bool(self._link.run(scripts.LEAD, self._mine, LEADS))

    def _resign(self) -> None:
        """Let another one lead; if Redis is out of reach, the lease's end does."""
        try:
            if self.leads and self._link.connected:
                self._link.run(scripts.RESIGN, self._mine)
        except ERRORS:
            pass
        finally:
            self.leads = False
            self._link.drop()

    def _listen(self, heard: Any) -> None:
        """Hear for a while."""
        end, others = monotonic() + PAUSE, False
        while (left := end - monotonic()) > 0:
            try:
                message = heard.read_response(timeout=left, disconnect_on_error=False)
            except Silent:
                break
            if not others and message[2].decode() != self._mine:
                others = True
                end = min(end, monotonic() + TOGETHER)
        if others:
            self._hear()
