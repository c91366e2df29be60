"""The hash of a moment: two worlds with the same hash are the same, to the byte of everything that they can tell."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from playground.world import World


def digest(world: World) -> str:
    """SHA-256, in hexadecimal, of a world's instant, jobs, events, records, timers and demo workers."""
    engine = world.engine
    store = engine.store
    engine.events.settle()  # what is yet to be counted belongs to the records
    kinds: Any = store.kinds  # a container to most, which need not look at it all
    whole: dict[str, Any] = {
        "now": engine.clock.now(),
        "jobs": [[job.to_dict(), job.trail, job.due()] for job in store.jobs(limit=1 << 30, newest=False)],
        "events": [event.to_dict() for event in engine.events],
        "seq": engine.events.seq,
        "records": {kind: store.records(kind) for kind in sorted(kinds)},
        "due": engine.next_due(),
        "crew": world.crew.to_dict(),
    }
    text = json.dumps(whole, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=list)
    return hashlib.sha256(text.encode()).hexdigest()
