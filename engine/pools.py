"""Worker pools and how one FETCH shares its queues: strict, round-robin, weighted, least-loaded (OJS Fair Scheduling).

Strict is the rule where nobody says otherwise: queues from left to right (OJS Core 7.2). A pool's own
configuration goes before what a worker asks for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from engine import lifecycle as life
from engine.envelope import check_queue, refuse
from engine.errors import NotFound
from engine.figures import Figures
from engine.job import Job
from engine.operations import Operations, Plan
from engine.times import parse_duration

STRATEGIES: Final = ("strict", "round-robin", "weighted", "least-loaded")
STRIDE: Final = 1_000_000
"""Virtual time between two turns of a queue of weight 1."""
_CLAUSE: Final = "OJS Fair Scheduling 6.1"
_KIND: Final = "pool"


class Pools:
    """All worker pools.

    Args:
        operations: Whose FETCH is planned.
        figures: How much each queue has handed out lately.
    """

    def __init__(self, operations: Operations, figures: Figures) -> None:
        self.operations = operations
        self.kernel = operations.kernel
        self.figures = figures

    def plan(self, queues: list[str], worker_id: str | None, wish: dict[str, Any]) -> Plan:
        """The plan of one FETCH.

        Args:
            queues: The queues that the worker asks for.
            worker_id: The worker; its pool is the one that it names at its heartbeat.
            wish: ``pool``, ``strategy`` and ``weights`` of the request.

        Raises:
            InvalidRequest: No such strategy, or a bad weight.
        """
        worker = self.kernel.store.record("worker", worker_id) if worker_id is not None else None
        name = wish.get("pool") or (worker or {}).get("pool")
        pool = self.kernel.store.record(_KIND, name) if isinstance(name, str) else None
        if pool is None:
            name = None
        open_to = [queue for queue in queues if self._reaches(queue, name)]
        config = pool or _read(wish, wish.get("strategy", "strict"), "strategy")
        if pool is not None:
            open_to = [queue for queue in open_to if queue in pool["queues"]]
        return _Plan(self, open_to, config, name, worker)

    def full(self, name: str) -> bool:
        """Whether a pool can take no more, which is told once until a slot is free again."""
        pool = self.kernel.store.record(_KIND, name)
        if pool is None or pool["concurrency"] is None or pool["active"] < pool["concurrency"]:
            return False
        if not pool["overloaded"]:
            pool["overloaded"] = True
            self.kernel.store.put_record(_KIND, name, pool)
            waiting = sum(self.kernel.store.counts(queue)[life.AVAILABLE] for queue in pool["queues"])
            facts = {"pool": name, "active_jobs": pool["active"], "waiting_jobs": waiting}
            self.kernel.emit("scheduling.pool_overloaded", name, facts)
        return True

    def _reaches(self, queue: str, name: str | None) -> bool:
        """Whether no other pool has a queue to itself (6.3)."""
        return all(
            one == name or not pool["isolated"] or queue not in pool["queues"]
            for one, pool in self.kernel.store.records(_KIND)
        )

    def moved(self, job: Job, was: str) -> None:
        """Count the active jobs of a pool."""
        change = (job.state == life.ACTIVE) - (was == life.ACTIVE)
        pool = self.kernel.store.record(_KIND, job.pool) if change and job.pool is not None else None
        if pool is not None and job.pool is not None:
            pool["active"] = max(0, pool["active"] + change)
            pool["overloaded"] = pool["overloaded"] and change > 0
            self.kernel.store.put_record(_KIND, job.pool, pool)

    # management

    def put(self, name: str, raw: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Create or replace a pool (10.1).

        Args:
            name: Its name.
            raw: ``queues`` (names, or an object of names with a ``weight`` each), ``concurrency``, ``strategy``,
                ``weights``, ``isolated``, ``starvation_prevention``.

        Returns:
            The pool, see `show`, and whether it is new.

        Raises:
            InvalidRequest: A field breaks its rule; nothing has changed.
        """
        config = _read(raw, raw.get("strategy", "round-robin"), "strategy")
        queues = raw.get("queues")
        if isinstance(queues, dict):
            weights = {
                queue: entry.get("weight", 1) if isinstance(entry, dict) else entry
                for queue, entry in queues.items()
            }
            config["weights"] = _weights(weights, "queues") | config["weights"]
            queues = list(queues)
        if not isinstance(queues, list) or not queues:
            raise refuse("queues", queues, "is required: the names of its queues", _CLAUSE)
        names = [check_queue(queue, f"queues[{index}]") for index, queue in enumerate(queues)]
        concurrency = raw.get("concurrency")
        if concurrency is not None and (
            not isinstance(concurrency, int) or isinstance(concurrency, bool) or concurrency < 0
        ):
            raise refuse("concurrency", concurrency, "must be an integer of at least 0", _CLAUSE)
        with self.kernel.store.transaction():
            old = self.kernel.store.record(_KIND, name)
            pool = config | {
                "queues": names,
                "concurrency": concurrency,
                "isolated": raw.get("isolated") is True,
                "active": old["active"] if old else 0,
                "overloaded": False,
            }
            self.kernel.store.put_record(_KIND, name, pool)
            if old is not None and old["strategy"] != pool["strategy"]:
                facts = {
                    "pool": name,
                    "previous_strategy": old["strategy"],
                    "new_strategy": pool["strategy"],
                }
                self.kernel.emit("scheduling.rebalanced", name, facts)
        return self.show(name), old is None

    def delete(self, name: str) -> None:
        """Remove a pool; its workers go on without it.

        Raises:
            NotFound: No such pool.
        """
        with self.kernel.store.transaction():
            if not self.kernel.store.delete_record(_KIND, name):
                raise _unknown(name)
            self.kernel.store.delete_record("rotation", f"pool:{name}")

    def show(self, name: str) -> dict[str, Any]:
        """A pool, with its workers and active jobs.

        Raises:
            NotFound: No such pool.
        """
        pool = self.kernel.store.record(_KIND, name)
        if pool is None:
            raise _unknown(name)
        workers = [worker for _, worker in self.kernel.store.records("worker") if worker.get("pool") == name]
        shown: dict[str, Any] = {
            "name": name,
            "queues": pool["queues"],
            "concurrency": pool["concurrency"],
            "strategy": pool["strategy"],
            "isolated": pool["isolated"],
            "active_workers": len(workers),
            "active_jobs": pool["active"],
        }
        if pool["weights"]:
            shown["weights"] = pool["weights"]
        if pool["starvation"] is not None:
            shown["starvation_prevention"] = pool["starvation"]
        return shown

    def list(self) -> list[dict[str, Any]]:
        """All pools, in the order in which they were created."""
        return [self.show(name) for name, _ in self.kernel.store.records(_KIND)]

    def stats(self) -> dict[str, Any]:
        """What each queue has handed out in the minute under way (10.2)."""
        rows: list[dict[str, Any]] = []
        for queue in self.kernel.store.queues():
            minute = self.figures.minutes(f"queue:{queue}", 1)
            rows.append(
                {
                    "name": queue,
                    "dispatch_count_1m": minute["started"],
                    "avg_wait_ms": minute["wait_ms"] // minute["started"] if minute["started"] else 0,
                    "active_jobs": self.kernel.store.counts(queue)[life.ACTIVE],
                }
            )
        total = sum(row["dispatch_count_1m"] for row in rows)
        for row in rows:
            row["dispatch_ratio_1m"] = round(row["dispatch_count_1m"] / total, 3) if total else 0
        return {"queues": rows, "window": "PT1M"}


class _Plan:
    """The queues of one FETCH under a strategy; its memory is a record, so that fairness outlives the request."""

    __slots__ = ("_config", "_key", "_pool", "_pools", "_queues", "_worker")

    def __init__(
        self,
        pools: Pools,
        queues: list[str],
        config: dict[str, Any],
        pool: str | None,
        worker: dict[str, Any] | None,
    ) -> None:
        self._pools = pools
        self._queues = queues
        self._config = config
        self._pool = pool
        self._worker = worker
        self._key = f"pool:{pool}" if pool is not None else "queues:" + ",".join(sorted(queues))

    def order(self) -> Iterable[str]:
        """The queues for the next job, those that are owed one first."""
        if self._pool is not None and self._pools.full(self._pool):
            return []
        strategy, queues = self._config["strategy"], self._queues
        counts = self._pools.kernel.store.counts
        if strategy == "least-loaded":
            if self._worker is not None and len(self._worker["jobs"]) >= self._worker.get(
                "concurrency", 1 << 30
            ):
                return []
            queues = sorted(queues, key=lambda queue: -counts(queue)[life.AVAILABLE])
        elif strategy != "strict":
            memory = self._memory()
            queues = sorted(queues, key=lambda queue: max(memory["passes"].get(queue, 0), memory["now"]))
        self._watch()
        return self._starved() + queues

    def served(self, job: Job) -> None:
        """Note that a queue has had its turn, and which pool holds the job."""
        job.pool = self._pool
        if self._config["strategy"] in {"strict", "least-loaded"} and self._config["starvation"] is None:
            return
        memory = self._memory()
        at = max(memory["passes"].get(job.queue, 0), memory["now"])
        weight = self._config["weights"].get(job.queue, 1) if self._config["strategy"] == "weighted" else 1
        memory["passes"][job.queue] = at + STRIDE // weight
        memory["now"] = at
        self._window(memory)
        memory["served"][job.queue] = memory["served"].get(job.queue, 0) + 1
        memory["waits"].pop(job.queue, None)
        self._pools.kernel.store.put_record("rotation", self._key, memory)

    def _memory(self) -> dict[str, Any]:
        return self._pools.kernel.store.record("rotation", self._key) or {
            "passes": {},
            "now": 0,
            "window": None,
            "served": {},
            "waits": {},
        }

    def _window(self, memory: dict[str, Any]) -> None:
        """Begin to count anew when the rotation interval is over."""
        now = self._pools.kernel.now()
        interval = parse_duration((self._config["starvation"] or {}).get("rotation_interval", "PT30S"))
        if memory["window"] is None or now >= memory["window"] + interval:
            memory["window"] = now
            memory["served"] = {}

    def _watch(self) -> None:
        """Tell of each queue that has had jobs and no turn for longer than an interval, once until its turn (11.1)."""
        rule = self._config["starvation"]
        if rule is None or not rule["enabled"]:
            return
        kernel, memory, now = self._pools.kernel, self._memory(), self._pools.kernel.now()
        waits = dict(memory["waits"])
        for queue in self._queues:
            available = kernel.store.counts(queue)[life.AVAILABLE]
            if not available:
                waits.pop(queue, None)
                continue
            since, told = waits.setdefault(queue, [now, False])
            if not told and now - since > parse_duration(rule["rotation_interval"]):
                waits[queue] = [since, True]
                facts = {"queue": queue, "duration": now - since, "available_count": available}
                kernel.emit("scheduling.queue_starved", queue, facts)
        if waits != memory["waits"]:
            kernel.store.put_record("rotation", self._key, {**memory, "waits": waits})

    def _starved(self) -> list[str]:
        """Queues below their guaranteed share of the window under way, the worst off first (8.2)."""
        rule = self._config["starvation"]
        if rule is None or not rule["enabled"]:
            return []
        memory = dict(self._memory())
        self._window(memory)
        served = memory["served"]
        least = rule["min_dispatch_ratio"] * sum(served.values())
        behind = [queue for queue in self._queues if served.get(queue, 0) < least]
        return sorted(behind, key=lambda queue: served.get(queue, 0))


def _unknown(name: str) -> NotFound:
    return NotFound(
        f"There is no worker pool '{name:.60}'.",
        details={"resource_type": "pool", "resource_id": name[:60]},
    )


def _read(raw: dict[str, Any], strategy: Any, field: str) -> dict[str, Any]:
    if isinstance(strategy, str):
        strategy = strategy.replace("_", "-")
    if strategy not in STRATEGIES:
        raise refuse(field, strategy, f"must be one of {', '.join(STRATEGIES)}", _CLAUSE)
    return {
        "strategy": strategy,
        "weights": _weights(raw.get("weights") or {}, "weights"),
        "starvation": _starvation(raw.get("starvation_prevention")),
    }


def _weights(raw: Any, field: str) -> dict[str, int]:
    if not isinstance(raw, dict):
        raise refuse(field, raw, "must be an object of queue names and weights", _CLAUSE)
    for queue, weight in raw.items():
        if not isinstance(weight, int) or isinstance(weight, bool) or not 1 <= weight <= STRIDE:
            raise refuse(f"{field}.{queue}", weight, "must be a positive integer", _CLAUSE)
    return raw


def _starvation(raw: Any) -> dict[str, Any] | None:
    if raw is None:
        return None
    clause = "OJS Fair Scheduling 8.1"
    if not isinstance(raw, dict):
        raise refuse("starvation_prevention", raw, "must be an object", clause)
    rule: dict[str, Any] = {"enabled": False, "rotation_interval": "PT30S", "min_dispatch_ratio": 0.05} | raw
    ratio = rule["min_dispatch_ratio"]
    if not isinstance(ratio, int | float) or isinstance(ratio, bool) or not 0 <= ratio <= 1:
        raise refuse(
            "starvation_prevention.min_dispatch_ratio", ratio, "must be a number from 0 to 1", clause
        )
    try:
        parse_duration(rule["rotation_interval"])
    except (TypeError, ValueError):
        raise refuse(
            "starvation_prevention.rotation_interval",
            rule["rotation_interval"],
            "must be an ISO 8601 duration",
            clause,
        ) from None
    return rule
