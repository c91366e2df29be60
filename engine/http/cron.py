"""Endpoints of cron entries (OJS Cron 8, OJS HTTP Binding 13)."""

from __future__ import annotations

from typing import Any, Final

from engine.cron_view import MAX_RUNS
from engine.cron_view import preview as previewed
from engine.envelope import refuse
from engine.http.jobs import with_job
from engine.http.paging import paged
from engine.http.route import Call, Reply, Route
from engine.times import format_time

MAX_PAGE: Final = 1000


def _both(entry: dict[str, Any]) -> dict[str, Any]:
    return {"cron_job": entry, "cron": entry}


def register(call: Call) -> Reply:
    """Add an entry or replace the one of that name."""
    entry, new = call.engine.cron.register(call.body)
    return Reply(_both(entry), 201 if new else 200, {"Location": f"/ojs/v1/cron/{entry['name']}"})


def listing(call: Call) -> Reply:
    """A page of entries, in the order of registration."""
    enabled = call.query.get("enabled")
    if enabled not in {None, "true", "false"}:
        raise call.refuse("enabled", "must be true or false", "OJS Cron 8.2")
    entries = call.engine.cron.entries(enabled=None if enabled is None else enabled == "true")
    limit, offset = call.page()
    if not {"limit", "per_page"} & call.query.keys():
        limit = MAX_PAGE  # "list all" means all (OJS Cron 8.2)
    body = paged("cron_jobs", entries, limit, offset)
    shown = body["cron_jobs"]
    return Reply({**body, "crons": shown, "count": len(shown), "total": len(entries)})


def get(call: Call) -> Reply:
    """One entry."""
    return Reply(_both(call.engine.cron.get(call.params["name"])))


def remove(call: Call) -> Reply:
    """Remove an entry; its jobs stay."""
    entry = call.engine.cron.remove(call.params["name"])
    return Reply({"deleted": True, "name": entry["name"], **_both(entry)})


def toggle(call: Call) -> Reply:
    """Enable or disable an entry."""
    enabled = call.body.get("enabled")
    if not isinstance(enabled, bool):
        raise refuse("enabled", enabled, "is required: true or false", "OJS Cron 8.5")
    return Reply(_both(call.engine.cron.enable(call.params["name"], enabled)))


def pause(call: Call) -> Reply:
    """Stop an entry for a while."""
    return Reply(_both(call.engine.cron.enable(call.params["name"], enabled=False, paused=True)))


def resume(call: Call) -> Reply:
    """Let a stopped entry fire again."""
    return Reply(_both(call.engine.cron.enable(call.params["name"], enabled=True)))


def trigger(call: Call) -> Reply:
    """Enqueue one run now."""
    job = call.engine.cron.trigger(call.params["name"])
    entry = call.engine.cron.get(call.params["name"])
    return Reply(with_job(job) | _both(entry), 201, {"Location": f"/ojs/v1/jobs/{job.id}"})


def next_runs(call: Call) -> Reply:
    """When an entry fires next."""
    entry = call.engine.cron.get(call.params["name"])
    count = call.number("count", 10, MAX_RUNS, 1)
    runs = [format_time(at) for at in call.engine.cron.next_runs(entry["name"], count)]
    about = {name: entry[name] for name in ("name", "expression", "timezone", "enabled", "summary")}
    return Reply({**about, "next_runs": runs, "count": len(runs)})


def history(call: Call) -> Reply:
    """What an entry did at its latest occurrences, newest first."""
    name = call.params["name"]
    body = paged("history", call.engine.cron.history(name), *call.page())
    return Reply({"name": name, **body, "count": len(body["history"])})


def preview(call: Call) -> Reply:
    """What an expression means and when it would fire; nothing is registered."""
    return Reply(previewed(call.body, call.engine.now()))


_BINDING: Final = "OJS HTTP Binding 13"
ROUTES: Final = (
    Route("GET", "/cron", listing, "CRON", 2, "List cron entries.", _BINDING + ".1"),
    Route("POST", "/cron", register, "CRON", 2, "Register or replace a cron entry.", _BINDING + ".2"),
    Route("POST", "/cron/preview", preview, "CRON", -1, "Explain an expression.", "OJS Cron 3"),
    Route("GET", "/cron/{name}", get, "CRON", 2, "Read a cron entry.", "OJS Cron 8.3"),
    Route("DELETE", "/cron/{name}", remove, "CRON", 2, "Remove a cron entry.", _BINDING + ".3"),
    Route("PATCH", "/cron/{name}", toggle, "CRON", 2, "Enable or disable a cron entry.", "OJS Cron 8.5"),
    Route("POST", "/cron/{name}/pause", pause, "CRON", -1, "Stop a cron entry.", "OJS Cron 8.5"),
    Route("POST", "/cron/{name}/resume", resume, "CRON", -1, "Let a cron entry fire again.", "OJS Cron 8.5"),
    Route("POST", "/cron/{name}/trigger", trigger, "CRON", -1, "Enqueue a run now.", "OJS Cron 2"),
    Route("GET", "/cron/{name}/next", next_runs, "CRON", -1, "When it fires next.", "OJS Cron 2.2"),
    Route("GET", "/admin/cron", listing, "ADMIN", -1, "List cron entries.", _BINDING),
    Route("POST", "/admin/cron", register, "ADMIN", -1, "Register or replace a cron entry.", _BINDING),
    Route("GET", "/admin/cron/{name}", get, "ADMIN", -1, "Read a cron entry.", _BINDING),
    Route("DELETE", "/admin/cron/{name}", remove, "ADMIN", -1, "Remove a cron entry.", _BINDING),
    Route("POST", "/admin/cron/{name}/pause", pause, "ADMIN", -1, "Stop a cron entry.", _BINDING),
    Route("POST", "/admin/cron/{name}/resume", resume, "ADMIN", -1, "Let a cron entry fire again.", _BINDING),
    Route("POST", "/admin/cron/{name}/trigger", trigger, "ADMIN", -1, "Enqueue a run now.", _BINDING),
    Route("GET", "/cron/{name}/history", history, "CRON", -1, "Its latest occurrences.", "OJS Cron 9"),
)
