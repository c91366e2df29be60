"""Looks at the whole of an attached server, a bounded number of requests at a time, outside every lock.

What the server can do follows from its manifest; what that leaves open, from whether the route is there. A look that
fails in the middle counts as none: views never show half of a server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from engine import lifecycle as life
from engine.errors import OJSError
from engine.job import Job
from engine.queue_rules import check
from engine.workflow_records import ENDED
from playground.attach import flows, shapes
from playground.attach.events import Feed, Happened
from playground.attach.remote import Remote, Trouble
from playground.attach.shapes import Body

LISTED: Final = 100
"""Jobs, dead letters, cron entries, workers and workflows read in a look, each at most."""
WHOLE: Final = 30
"""Jobs, and workflows, whose details a look asks for one by one, each at most."""
QUEUES: Final = 50
"""Queues shown."""
STATED: Final = 12
"""Queues whose statistics and configuration are asked for one by one."""
CAPABILITIES: Final = {
    "cron": ("cron_jobs", "cron"),
    "workflows": ("workflows",),
    "dead": ("dead_letter", "dead_letter_queue"),
    "pause": ("pause_resume", "queue_pause"),
    "events": ("events",),
    "batch": ("batch_enqueue", "batch"),
}
"""What a manifest may say that a server does not do, by the part of the views that this is."""
ALWAYS: Final = frozenset(
    "board jobs queues timeline retries compare compose console handlers code events".split()
)
"""Parts of the views that any server has, or that need none."""


class Look(NamedTuple):
    """What a server showed.

    Args:
        can: Parts of the views that it has.
        about: What it says of itself.
        jobs: Jobs, the oldest first.
        raw: Each of them as the server gave it, by id.
        counts: Jobs by queue and state, of the queues for which it tells.
        total: Jobs by state in all; None where it does not tell.
        records: Everything else: kind, key, value.
        partly: What is known only in part, a sentence each.
    """

    can: frozenset[str]
    about: str
    jobs: list[Job]
    raw: Mapping[str, Body]
    counts: Mapping[str, dict[str, int]]
    total: dict[str, int] | None
    records: list[flows.Put]
    partly: list[str]


class Reader:
    """Reads one server again and again.

    Args:
        remote: The server.
    """

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self.feed = Feed(remote)
        self.forget()

    def forget(self) -> None:
        """Another server may be behind the address by now: find out anew what it can do."""
        self._manifest: Body | None = None
        self._absent: set[str] = set()
        self._whole: dict[str, Body] = {}
        self._flows: dict[str, Body] = {}
        self._configs: dict[str, tuple[float, Body | None]] = {}
        self._records: list[flows.Put] = []
        self._partly: list[str] = []

    def happened(self) -> list[Happened]:
        """What has happened since it was last asked.

        Raises:
            Trouble: The server cannot be read.
        """
        if self._denied("events"):
            return []
        return self.feed.read()

    def look(self, wanted: Iterable[str] = ()) -> Look:
        """Look at everything.

        Args:
            wanted: Ids of jobs that somebody looks at.

        Raises:
            Trouble: The server cannot be read, or is no OJS server.
        """
        self._records, self._partly = [], []
        about = self._introduction()
        counts = self._queues()
        total = shapes.counts(self._ask("/ojs/v1/admin/stats") or {})
        if total is None and counts:
            total = {state: sum(one[state] for one in counts.values()) for state in life.STATES}
        raw = self._jobs(wanted)
        dead = self._dead(raw)
        jobs = [found for one in raw.values() if (found := shapes.job(one)) is not None]
        for found in jobs:
            found.dead_letter = found.id in dead and found.state == life.DISCARDED
        self._cron()
        self._workflows()
        self._workers()
        if total is not None and sum(total.values()) > len(jobs):
            self._partly.append(f"{len(jobs):,} of its {sum(total.values()):,} jobs are read here.")
        jobs.sort(key=lambda one: (one.created_at, one.id))
        return Look(self._can(), about, jobs, raw, counts, total, self._records, self._partly)

    # what it can do

    def _introduction(self) -> str:
        if self._manifest is None:
            self._manifest = self.remote.ask("/ojs/manifest")
            if self._manifest is None:
                if self.remote.ask("/ojs/v1/health") is None and self.remote.ask("/ojs/v1/queues") is None:
                    raise Trouble(
                        f"{self.remote.url} answers, but has no manifest (/ojs/manifest), no /ojs/v1/health and no "
                        "/ojs/v1/queues: it is no OJS server, or its API lies below another path."
                    )
                self._manifest = {}
        if not self._manifest:
            self._partly.append("It has no manifest: what it can do is found by asking.")
            return ""
        facts = shapes.inner(self._manifest, "implementation")
        name = f"{shapes.text(facts, 'name')} {shapes.text(facts, 'version')}".strip()
        level = shapes.number(self._manifest, "conformance_level")
        return ", ".join(one for one in (name, "" if level is None else f"level {level}") if one)

    def _denied(self, part: str) -> bool:
        """Whether the manifest says that the server does not do this."""
        told = shapes.inner(self._manifest or {}, "capabilities")
        return any(told.get(name) is False for name in CAPABILITIES.get(part, ()))

    def _can(self) -> frozenset[str]:
        routes = {
            "cron": "/ojs/v1/cron",
            "workflows": "/ojs/v1/workflows",
            "dead": "/ojs/v1/dead-letter",
            "registry": "/ojs/v1/admin/workers",
            "config": "config",
        }
        found = {part for part, path in routes.items() if path not in self._absent and not self._denied(part)}
        found |= {part for part in ("pause", "batch") if not self._denied(part)}
        return ALWAYS | found

    def _ask(self, path: str, query: str = "") -> Body | None:
        """What a route answers; one that is not there is not asked for again."""
        if path in self._absent:
            return None
        found = self.remote.ask(path + query)
        if found is None:
            self._absent.add(path)
        return found

    # its parts

    def _queues(self) -> dict[str, dict[str, int]]:
        body = self._ask("/ojs/v1/queues") or {}
        listed = shapes.rows(body, "queues", "items")
        named = body.get("queues")
        if isinstance(named, list):
            listed += [{"name": one} for one in named if isinstance(one, str)]
        counts: dict[str, dict[str, int]] = {}
        for raw in listed[:QUEUES]:
            found = shapes.queue(raw)
            if found is None:
                continue
            name, record = found
            told = shapes.counts(raw)
            if told is None and len(counts) < STATED and "stats" not in self._absent:
                stats = self.remote.ask(f"/ojs/v1/queues/{quote(name, safe='')}/stats")
                if stats is None:
                    self._absent.add("stats")
                told = shapes.counts(stats or {})
            if told is not None:
                counts[name] = told
            config = self._config(name)
            if config:
                record["config"] = config
                self._records.append(("setting", "queue_config", {"used": True}))
            self._records.append(("queue", name, record))
        if len(listed) > QUEUES:
            self._partly.append(f"{QUEUES} of its {len(listed):,} queues are shown.")
        if listed and len(counts) < len(listed[:QUEUES]):
            self._partly.append(
                "It does not count the jobs of each queue: what is counted are those read here."
            )
        return counts if len(counts) == len(listed[:QUEUES]) else {}

    def _config(self, name: str) -> Body | None:
        """A queue's configuration; it seldom changes, and is read anew now and then."""
        if "config" in self._absent:
            return None
        read, known = self._configs.get(name, (0.0, None))
        if (known is not None and monotonic() - read < 30) or (
            name not in self._configs and len(self._configs) >= STATED
        ):
            return known
        body = self.remote.ask(f"/ojs/v1/queues/{quote(name, safe='')}/config")
        if body is None:
            self._absent.add("config")
            return None
        try:
            found = check(shapes.inner(body, "config") or shapes.inner(body, "configuration"))
        except OJSError:
            found = {}
        self._configs[name] = (monotonic(), found)
        return found

    def _jobs(self, wanted: Iterable[str]) -> dict[str, Body]:
        """Jobs by id as the server gives them: its latest, those of each state, those that somebody looks at."""
        rows = shapes.rows(self._ask("/ojs/v1/jobs", f"?limit={LISTED}"), "jobs", "items")
        found = {shapes.text(one, "id", "job_id"): one for one in rows}
        for state in life.STATES if "/ojs/v1/admin/jobs" not in self._absent else ():
            query = f"?state={state}&per_page={LISTED}"
            for one in shapes.rows(self._ask("/ojs/v1/admin/jobs", query), "items", "jobs"):
                found.setdefault(shapes.text(one, "id", "job_id"), one)
        if {"/ojs/v1/jobs", "/ojs/v1/admin/jobs"} <= self._absent:
            self._partly.append(
                "It lists no jobs: those shown are dead letters, those of its events, and those opened here."
            )
            wanted = [*wanted, *self.feed.jobs]
        found.pop("", None)
        left = WHOLE
        fresh: dict[str, Body] = {}
        # Lists may be brief, without arguments: the latest of these are read whole, each once in each of its states.
        for key, one in [*((key, {}) for key in dict.fromkeys(wanted)), *_latest(found)]:
            known = self._whole.get(key)
            if "args" in found.get(key, {}) and key not in wanted:
                continue
            if known is None or not one or _mark(known) != _mark(one):
                if not left:
                    continue
                left -= 1
                known = self.job(key)
            if known is not None:
                fresh[key] = known
        self._whole = fresh
        return found | fresh

    def job(self, key: str) -> Body | None:
        """One job, whole; None where there is none.

        Raises:
            Trouble: The server cannot be read.
        """
        body = self.remote.ask(f"/ojs/v1/jobs/{quote(key, safe='')}")
        return None if body is None else shapes.inner(body, "job") or body

    def _dead(self, jobs: dict[str, Body]) -> set[str]:
        """Ids of the dead letters, which are put to the jobs."""
        body = None if self._denied("dead") else self._ask("/ojs/v1/dead-letter", f"?limit={LISTED}")
        listed = shapes.rows(body, "jobs", "items", "dead_letters")
        for raw in listed:
            jobs.setdefault(shapes.text(raw, "id", "job_id"), {"state": life.DISCARDED, **raw})
        total = shapes.number(body or {}, "total") or shapes.number(
            shapes.inner(body or {}, "pagination"), "total"
        )
        if total is not None and total > len(listed):
            self._partly.append(f"{len(listed):,} of its {total:,} dead letters are read here.")
        return {shapes.text(raw, "id", "job_id") for raw in listed}

    def _cron(self) -> None:
        body = None if self._denied("cron") else self._ask("/ojs/v1/cron", f"?limit={LISTED}")
        listed = shapes.rows(body, "cron_jobs", "crons", "items", "jobs")
        entries = [one for raw in listed if (one := shapes.cron(raw)) is not None]
        self._records += [("cron", one["name"], one) for one in entries]
        if len(entries) < len(listed):
            count = len(listed) - len(entries)
            self._partly.append(f"{count} of its cron entries cannot be read here and are left out.")

    def _workflows(self) -> None:
        body = None if self._denied("workflows") else self._ask("/ojs/v1/workflows", f"?limit={WHOLE}")
        kept: dict[str, Body] = {}
        for raw in reversed(shapes.rows(body, "workflows", "items")[:WHOLE]):
            key = shapes.text(raw, "id", "workflow_id")
            known = self._flows.get(key)
            if known is None or shapes.text(known, "state") not in ENDED or _state(known) != _state(raw):
                answer = self.remote.ask(f"/ojs/v1/workflows/{quote(key, safe='')}") if key else None
                known = raw if answer is None else shapes.inner(answer, "workflow") or answer
            kept[key] = known
            self._records += flows.records(known)
        self._flows = kept

    def _workers(self) -> None:
        body = self._ask("/ojs/v1/admin/workers", f"?per_page={LISTED}")
        for raw in shapes.rows(body, "items", "workers"):
            if (found := shapes.worker(raw)) is not None:
                self._records.append(("worker", *found))


def _state(raw: Body) -> Any:
    return raw.get("state", raw.get("status"))


def _mark(raw: Body) -> tuple[Any, Any]:
    """What tells whether a job has moved."""
    return raw.get("state"), raw.get("attempt")


def _latest(found: Mapping[str, Body]) -> list[tuple[str, Body]]:
    return sorted(found.items(), key=lambda one: shapes.instant(one[1], "created_at") or 0, reverse=True)
