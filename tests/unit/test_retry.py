"""The retry policy: rules, backoff, jitter, final errors, and the handler's word (OJS Retry)."""

from __future__ import annotations

import pickle
from random import Random
from typing import Any

import pytest

from engine import retry
from engine.errors import InvalidPolicy
from tests.unit.harness import Server

SECOND = 1000


@pytest.mark.parametrize(
    ("raw", "delays"),
    [
        ({"backoff_strategy": "constant", "initial_interval": "PT5S"}, [5, 5, 5, 5]),
        ({"backoff_strategy": "none", "initial_interval": "PT5S"}, [5, 5, 5, 5]),
        ({"backoff_strategy": "linear", "initial_interval": "PT5S"}, [5, 10, 15, 20]),
        ({"initial_interval": "PT1S", "backoff_coefficient": 2.0}, [1, 2, 4, 8]),
        ({"backoff_strategy": "polynomial", "backoff_coefficient": 4.0}, [1, 16, 81, 256]),
        ({"initial_interval": "PT10S", "backoff_coefficient": 1.0}, [10, 10, 10, 10]),
    ],
)
def test_each_strategy_follows_its_formula(raw: dict[str, Any], delays: list[int]) -> None:
    policy = retry.parse(raw | {"jitter": False, "max_interval": "PT1H"})
    assert [policy.backoff(n) for n in (1, 2, 3, 4)] == [delay * SECOND for delay in delays]


def test_no_delay_exceeds_the_cap_with_or_without_jitter() -> None:
    policy = retry.parse({"initial_interval": "PT10S", "max_interval": "PT1M"})
    random = Random(7)
    assert all(policy.delay(n, random) <= 60 * SECOND for n in range(1, 200))


def test_jitter_stays_between_half_and_one_and_a_half_times_the_delay() -> None:
    policy = retry.parse({"initial_interval": "PT10S", "max_interval": "PT10M"})
    random = Random(7)
    delays = [policy.delay(2, random) for _ in range(500)]
    assert min(delays) >= 10 * SECOND
    assert max(delays) < 30 * SECOND
    assert policy.bounds(2) == (10 * SECOND, 30 * SECOND)


def test_an_enormous_attempt_count_hits_the_cap_instead_of_overflowing() -> None:
    policy = retry.parse({"max_attempts": 10**6, "backoff_coefficient": 99.0, "jitter": False})
    assert policy.backoff(10**5) == policy.max_interval


def test_fields_left_out_take_their_defaults() -> None:
    policy = retry.parse({"max_attempts": 10, "on_exhaustion": "dead_letter"})
    assert (policy.initial_interval, policy.coefficient, policy.jitter) == (SECOND, 2.0, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_attempts", -1),
        ("max_attempts", 1.5),
        ("max_attempts", True),
        ("initial_interval", "5 seconds"),
        ("initial_interval", "PT0S"),
        ("initial_interval_ms", 0),
        ("backoff_coefficient", 0.5),
        ("backoff_coefficient", "2"),
        ("max_interval", "PT0.5S"),
        ("jitter", "yes"),
        ("non_retryable_errors", "Fatal"),
        ("non_retryable_errors", [1]),
        ("on_exhaustion", "explode"),
        ("backoff_strategy", "fibonacci"),
    ],
)
def test_a_broken_rule_is_refused_with_422_and_the_name_of_the_field(field: str, value: Any) -> None:
    with pytest.raises(InvalidPolicy, match=field.removesuffix("_ms")) as refusal:
        retry.parse({field: value})
    assert refusal.value.status == 422


@pytest.mark.parametrize(
    ("kind", "final"),
    [
        ("validation.payload_invalid", True),
        ("validation.schema_error", False),
        ("auth.token_expired", True),
        ("auth", False),
        ("external.auth.failure", False),
    ],
)
def test_final_errors_match_exactly_or_by_prefix(kind: str, final: bool) -> None:
    policy = retry.parse({"non_retryable_errors": ["validation.payload_invalid", "auth.*"]})
    assert policy.is_final(kind) is final


def test_the_default_policy_survives_a_snapshot_as_itself() -> None:
    explicit = retry.parse({"max_attempts": 3})
    loaded = pickle.loads(pickle.dumps((retry.DEFAULT, explicit)))  # noqa: S301 - its own bytes
    assert loaded[0] is retry.DEFAULT
    assert loaded[1] == explicit
    assert loaded[1] is not retry.DEFAULT


@pytest.mark.parametrize(
    ("attempts", "states"),
    [(0, ["discarded"]), (1, ["discarded"]), (3, ["retryable", "retryable", "discarded"])],
)
def test_max_attempts_counts_executions_in_all(attempts: int, states: list[str]) -> None:
    server = Server()
    job = server.push(retry={"max_attempts": attempts, "jitter": False})
    seen = []
    for _ in states:
        server.one()
        server.engine.fail(job.id, {"code": "x"})
        seen.append(job.state)
        server.wait(60 * SECOND)
    assert seen == states
    assert [entry["attempt"] for entry in job.errors or []] == list(range(1, len(states) + 1))


@pytest.mark.parametrize(
    ("code", "state", "dead_letter"),
    [
        ("RETRY", "retryable", False),
        ("DISCARD", "discarded", False),
        ("FAIL", "discarded", False),
        ("DEAD_LETTER", "discarded", True),
    ],
)
@pytest.mark.parametrize("exhaustion", ["discard", "dead_letter"])
def test_the_handlers_code_goes_before_the_policy(
    code: str, state: str, dead_letter: bool, exhaustion: str
) -> None:
    """OJS Retry 7.2."""
    server = Server()
    job = server.push(retry={"max_attempts": 5, "on_exhaustion": exhaustion})
    server.one()
    server.engine.fail(job.id, {"code": code, "type": "payment.card_declined", "message": "no"})
    assert (job.state, job.dead_letter) == (state, dead_letter)


def test_a_failed_job_is_not_available_before_its_backoff_has_passed() -> None:
    server = Server()
    job = server.push(retry={"max_attempts": 2, "initial_interval": "PT10S", "jitter": False})
    server.one()
    server.engine.fail(job.id, {"code": "x"})
    server.wait(9_999)
    assert server.take() == []
    server.wait(1)
    assert server.one() is job


def test_a_retry_by_hand_starts_anew_and_keeps_the_history() -> None:
    server = Server()
    job = server.dead()
    server.engine.retry(job.id)
    assert (job.state, job.attempt, job.error, job.dead_letter) == ("available", 0, None, False)
    assert len(job.errors or []) == 1


def test_a_backoff_can_be_cut_short_by_hand_without_giving_attempts_back() -> None:
    """OJS Bulk Operations 7."""
    server = Server()
    job = server.push(retry={"max_attempts": 2, "initial_interval": "PT1H"})
    server.one()
    server.engine.fail(job.id, {"code": "x"})
    server.engine.retry(job.id)
    assert (job.state, job.attempt, job.next_attempt_at) == ("available", 1, None)
    server.one()
    server.engine.fail(job.id, {"code": "x"})
    assert job.state == "discarded"


def test_the_history_keeps_the_latest_hundred_errors() -> None:
    server = Server()
    job = server.push(retry={"max_attempts": 200, "initial_interval": "PT1S", "jitter": False})
    for _ in range(150):
        server.one()
        server.engine.fail(job.id, {"code": "x"})
        server.wait(300 * SECOND)
    assert [entry["attempt"] for entry in job.errors or []] == list(range(51, 151))
