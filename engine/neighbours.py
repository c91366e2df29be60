"""Which tenant takes more than its part: the four signals of a noisy neighbour (OJS Multi-Tenancy 9.1). Pure values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

THRESHOLDS: Final = {
    "queue_depth_ratio": 10.0,
    "enqueue_rate_ratio": 5.0,
    "active_job_ratio": 0.5,
    "error_rate_ratio": 3.0,
}
"""A tenant above one of these is a noisy neighbour."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one tenant has and has done in the last hour.

    Args:
        depth: Jobs that wait.
        active: Jobs under way.
        enqueued: Jobs enqueued.
        started: Attempts begun.
        failed: Attempts failed.
    """

    depth: int
    active: int
    enqueued: int
    started: int
    failed: int

    @property
    def error_rate(self) -> float:
        """Failed attempts by attempts begun."""
        return self.failed / self.started if self.started else 0.0


def _ratio(value: float, usual: float) -> float:
    return round(value / usual, 3) if usual else 0.0


def signals(mine: Load, everybody: Sequence[Load]) -> dict[str, float]:
    """How one tenant compares with all tenants, itself included; all zero when it is alone.

    Args:
        mine: The tenant's load.
        everybody: All tenants' loads.

    Returns:
        One number for each of `THRESHOLDS`.
    """
    if len(everybody) < 2:
        return dict.fromkeys(THRESHOLDS, 0.0)
    return {
        "queue_depth_ratio": _ratio(mine.depth, median(load.depth for load in everybody)),
        "enqueue_rate_ratio": _ratio(mine.enqueued, fmean(load.enqueued for load in everybody)),
        "active_job_ratio": _ratio(mine.active, sum(load.active for load in everybody)),
        "error_rate_ratio": _ratio(mine.error_rate, fmean(load.error_rate for load in everybody)),
    }


def exceeded(found: dict[str, float]) -> list[str]:
    """The signals above their thresholds."""
    return [name for name, value in found.items() if value > THRESHOLDS[name]]
