"""Machine-learning resources: checking what a job asks for, and whether a worker has it (OJS ML Resources)."""

from __future__ import annotations

from typing import Any, Final

from engine import versions
from engine.envelope import refuse
from engine.errors import InvalidPolicy
from engine.job import Job
from engine.times import SECOND

PREFIX: Final = "ext_ml_"
_CLAUSE: Final = "OJS ML Resources 3"
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "accelerator": ("gpu", "tpu", "fpga", "cpu"),
    "gpu_interconnect": ("nvlink", "pcie", "any"),
    "priority_class": ("spot", "on-demand", "reserved"),
}
_COUNTS: Final = (
    "gpu_count tpu_chip_count cpu_cores max_tokens max_batch_size timeout_seconds "
    "preemption_grace_period_s checkpoint_interval_s checkpoint_max_count"
).split()
_SIZES: Final = "gpu_memory_gb memory_gb storage_gb shm_size_gb".split()
_GPU: Final = ("gpu_type", "gpu_memory_gb", "gpu_compute_capability")


def _asked(job: Job, name: str) -> Any:
    return (job.extra or {}).get(PREFIX + name)


def check(job: Job) -> None:
    """Refuse contradictory or malformed requirements; take over the timeout (OJS ML Resources 3, 16).

    Raises:
        InvalidPolicy: A value is malformed, or a GPU is described and none is asked for.
    """
    for name, choices in _CHOICES.items():
        value = _asked(job, name)
        if value is not None and value not in choices:
            raise _refuse(name, value, f"must be one of {', '.join(choices)}")
    for names, kinds, rule in (
        (_COUNTS, int, "must be a whole number, at least 0"),
        (_SIZES, int | float, "must be a number, at least 0"),
    ):
        for name in names:
            value = _asked(job, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, kinds) or value < 0):
                raise _refuse(name, value, rule)
    if _asked(job, "gpu_count") == 0 and any(_asked(job, name) is not None for name in _GPU):
        raise _refuse("gpu_count", 0, "must be at least 1 when a GPU is described")
    seconds = _asked(job, "timeout_seconds")
    if seconds:
        job.timeout = seconds * SECOND


def _refuse(name: str, value: Any, rule: str) -> InvalidPolicy:
    error = refuse(PREFIX + name, value, rule, _CLAUSE)
    return InvalidPolicy(error.message, details=error.details)


def fits(job: Job, able: dict[str, Any]) -> bool:
    """Whether a worker with these capabilities meets the job's hard constraints (OJS ML Resources 11)."""
    if not job.extra or not any(name.startswith(PREFIX) for name in job.extra):
        return True
    gpu = able.get("gpu")
    gpu = gpu if isinstance(gpu, dict) else {}
    return (
        _accelerated(job, able)
        and _equals(_asked(job, "gpu_type"), gpu.get("type"))
        and _reaches(_asked(job, "gpu_count"), gpu.get("count"))
        and _reaches(_asked(job, "gpu_memory_gb"), gpu.get("memory_gb"))
        and _capable(_asked(job, "gpu_compute_capability"), gpu.get("compute_capability"))
        and _equals(_asked(job, "tpu_type"), _tpu(able))
        and all(
            _reaches(_asked(job, name), able.get(name)) for name in ("memory_gb", "storage_gb", "shm_size_gb")
        )
        and _reaches(_asked(job, "cpu_cores"), able.get("cpu_cores"))
        and _selected(_asked(job, "node_selector"), able.get("labels"))
        and _loaded(job, able.get("models_loaded"))
    )


def _accelerated(job: Job, able: dict[str, Any]) -> bool:
    need = _asked(job, "accelerator")
    if need is None:
        gpu = any(_asked(job, name) is not None for name in ("gpu_count", *_GPU))
        need = "gpu" if gpu else "tpu" if _asked(job, "tpu_type") is not None else "cpu"
    return bool(need == "cpu" or able.get("accelerator") == need or need in able)


def _tpu(able: dict[str, Any]) -> Any:
    tpu = able.get("tpu")
    return tpu.get("type") if isinstance(tpu, dict) else able.get("tpu_type")


def _equals(need: Any, have: Any) -> bool:
    return need is None or bool(need == have)


def _reaches(need: Any, have: Any) -> bool:
    return need is None or (isinstance(have, int | float) and bool(have >= need))


def _capable(need: Any, have: Any) -> bool:
    least, mine = versions.key(need), versions.key(have)
    return least is None or (mine is not None and mine >= least)


def _selected(need: Any, labels: Any) -> bool:
    if not isinstance(need, dict):
        return True
    have = labels if isinstance(labels, dict) else {}
    return all(have.get(name) == value for name, value in need.items())


def _loaded(job: Job, models: Any) -> bool:
    """A pinned model version must be there; a model alone is only preferred (OJS ML Resources 4)."""
    model, version = _asked(job, "model_id"), _asked(job, "model_version")
    if model is None or version is None:
        return True
    loaded = models if isinstance(models, list) else []
    return any(
        isinstance(one, dict) and one.get("model_id") == model and one.get("model_version") == version
        for one in loaded
    )
