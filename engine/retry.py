"""The retry policy: its rules, the four backoff strategies, jitter, and which errors are final (OJS Retry).

Pure policy: it knows nothing of jobs, storage or time beyond the numbers it is given.
"""

from __future__ import annotations

from random import Random
from typing import Any, Final, NamedTuple

from engine.errors import InvalidPolicy
from engine.times import MAX_DURATION, MINUTE, SECOND, format_duration, parse_duration

STRATEGIES: Final = ("exponential", "linear", "polynomial", "constant")
_ALIASES: Final = {"none": "constant", "fixed": "constant", "exponential_jitter": "exponential"}
EXHAUSTION: Final = ("discard", "dead_letter")


class RetryPolicy(NamedTuple):
    """How often and after how long a failed job runs again (OJS Retry 2).

    Args:
        max_attempts: Executions in all, the first one included; 0 and 1 both mean no retry.
        initial_interval: Delay before the first retry, milliseconds, above 0.
        coefficient: Growth of the delay, at least 1.
        max_interval: No delay is longer, milliseconds.
        jitter: Whether each delay is multiplied by a random factor in [0.5, 1.5).
        non_retryable: Error types that are final; an entry that ends in ``.*`` matches by prefix.
        on_exhaustion: ``discard``, ``dead_letter``, or None where the job did not say.
        strategy: One of `STRATEGIES`.
    """

    max_attempts: int = 3
    initial_interval: int = SECOND
    coefficient: float = 2.0
    max_interval: int = 5 * MINUTE
    jitter: bool = True
    non_retryable: tuple[str, ...] = ()
    on_exhaustion: str | None = None
    strategy: str = "exponential"

    @property
    def keeps_dead_letters(self) -> bool:
        """Whether an exhausted job goes to the dead-letter list; a policy that says nothing keeps it."""
        return self.on_exhaustion != "discard"

    def backoff(self, retry: int) -> int:
        """Delay before retry ``retry`` (1 is the first), milliseconds, capped, without jitter (OJS Retry 3)."""
        if self.strategy == "constant":
            return min(self.initial_interval, self.max_interval)
        if self.strategy == "linear":
            return min(self.initial_interval * retry, self.max_interval)
        try:
            growth = (
                self.coefficient ** (retry - 1) if self.strategy == "exponential" else retry**self.coefficient
            )
            return int(min(self.initial_interval * growth, self.max_interval))
        except OverflowError:
            return self.max_interval

    def delay(self, retry: int, random: Random) -> int:
        """Delay before retry ``retry``, milliseconds: backoff, cap, jitter, and the cap again (OJS Retry 5)."""
        delay = self.backoff(retry)
        return min(int(delay * random.uniform(0.5, 1.5)), self.max_interval) if self.jitter else delay

    def bounds(self, retry: int) -> tuple[int, int]:
        """Shortest and longest possible delay before retry ``retry``, milliseconds."""
        delay = self.backoff(retry)
        return (delay // 2, min(delay * 3 // 2, self.max_interval)) if self.jitter else (delay, delay)

    def is_final(self, *types: str) -> bool:
        """Whether any of an error's type names is one that must not be retried (OJS Retry 6.2)."""
        return any(
            kind.startswith(entry[:-1]) if entry.endswith(".*") else kind == entry
            for entry in self.non_retryable
            for kind in types
        )

    def __reduce_ex__(self, protocol: int) -> Any:  # type: ignore[override]
        # The default policy is told from an explicit one by identity, also after a snapshot has been loaded.
        return "DEFAULT" if self is DEFAULT else object.__reduce_ex__(self, protocol)

    def to_dict(self) -> dict[str, Any]:
        """The whole policy in the standard's vocabulary."""
        return {
            "max_attempts": self.max_attempts,
            "initial_interval": format_duration(self.initial_interval),
            "initial_interval_ms": self.initial_interval,
            "backoff_coefficient": self.coefficient,
            "backoff_strategy": self.strategy,
            "max_interval": format_duration(self.max_interval),
            "max_interval_ms": self.max_interval,
            "jitter": self.jitter,
            "non_retryable_errors": list(self.non_retryable),
            "on_exhaustion": self.on_exhaustion or "discard",
        }


DEFAULT: Final = RetryPolicy()


def _refuse(field: str, value: Any, rule: str, clause: str = "OJS Retry 11.1") -> InvalidPolicy:
    return InvalidPolicy(
        f"retry.{field} {rule}; got {value!r:.80} ({clause}).",
        details={"field": f"retry.{field}", "rule": rule, "validation": "validation.retry_policy_invalid"},
    )


def _interval(raw: dict[str, Any], name: str, default: int) -> int:
    field = name + "_ms" if name + "_ms" in raw else name
    value = raw.get(field)
    if value is None:
        return default
    if isinstance(value, str):
        try:
            ms = parse_duration(value)
        except ValueError as error:
            raise _refuse(field, value, str(error), "OJS Retry 4.2") from None
    elif isinstance(value, int) and not isinstance(value, bool):
        ms = value
    else:
        raise _refuse(field, value, "must be an ISO 8601 duration or integer milliseconds", "OJS Retry 4")
    if not 0 < ms <= MAX_DURATION:
        raise _refuse(field, value, "must be greater than zero and at most a hundred years")
    return ms


def parse(raw: Any) -> RetryPolicy:
    """A job's policy: its own fields over the defaults (OJS Retry 8.1).

    Args:
        raw: The ``retry`` object of the envelope, or None.

    Raises:
        InvalidPolicy: A field breaks its rule; the message names the field and the clause.
    """
    if raw is None:
        return DEFAULT
    if not isinstance(raw, dict):
        raise _refuse("", raw, "must be an object", "OJS Core 5.2")
    attempts = raw.get("max_attempts", DEFAULT.max_attempts)
    if not isinstance(attempts, int) or isinstance(attempts, bool) or attempts < 0:
        raise _refuse("max_attempts", attempts, "must be a non-negative integer")
    coefficient = raw.get("backoff_coefficient", raw.get("multiplier", DEFAULT.coefficient))
    if (
        not isinstance(coefficient, int | float)
        or isinstance(coefficient, bool)
        or not 1 <= coefficient < 1e6
    ):
        raise _refuse("backoff_coefficient", coefficient, "must be a number of at least 1.0")
    jitter = raw.get("jitter", DEFAULT.jitter)
    if not isinstance(jitter, bool):
        raise _refuse("jitter", jitter, "must be true or false")
    final = raw.get("non_retryable_errors") or []
    if not isinstance(final, list) or not all(isinstance(entry, str) for entry in final):
        raise _refuse("non_retryable_errors", final, "must be an array of strings")
    exhaustion = raw.get("on_exhaustion")
    if exhaustion is not None and exhaustion not in EXHAUSTION:
        raise _refuse("on_exhaustion", exhaustion, "must be 'discard' or 'dead_letter'")
    named = raw.get("backoff_strategy", raw.get("backoff_type", raw.get("strategy")))
    strategy = _ALIASES.get(named, named) if isinstance(named, str) else named
    if strategy is not None and strategy not in STRATEGIES:
        raise _refuse("backoff_strategy", named, f"must be one of {', '.join(STRATEGIES)}", "OJS Retry 3")
    initial = _interval(raw, "initial_interval", DEFAULT.initial_interval)
    longest = _interval(raw, "max_interval", max(DEFAULT.max_interval, initial))
    if longest < initial:
        raise _refuse("max_interval", raw.get("max_interval"), "must be at least initial_interval")
    return RetryPolicy(
        max_attempts=attempts,
        initial_interval=initial,
        coefficient=float(coefficient),
        max_interval=longest,
        jitter=jitter,
        non_retryable=tuple(final),
        on_exhaustion=exhaustion,
        strategy=strategy or DEFAULT.strategy,
    )
