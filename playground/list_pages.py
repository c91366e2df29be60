"""What the lists' buttons do: every change is a request to the binding, as any client would send it.

What many jobs are meant by is shown before it is done: which, how many, and with which of them it is not possible.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from engine.enqueue import MAX_BATCH
from engine.errors import InvalidRequest, NotFound
from engine.http.message import Request, Response
from engine.job import Job
from playground import list_views
from playground.answers import answered
from playground.found import DONE, MAX_BULK, OPERATIONS, SHOWN, everything, preview
from playground.search import parse
from playground.visit import Visit

Answer = dict[str, Any]

_REASONS: Final = 5
"""Reasons of refusal that a result lists."""


def ask(visit: Visit, method: str, path: str, body: Answer | None = None) -> tuple[int, Answer]:
    """Send a request to the binding and read its JSON.

    Args:
        visit: Whose session answers.
        method: HTTP method.
        path: Below the base path.
        body: JSON body, or None.

    Returns:
        Status and answer.
    """
    headers = {"content-type": "application/json"}
    content = b"" if body is None else json.dumps(body).encode()
    response = visit.app.session.handle(Request(method, "/ojs/v1" + path, headers, content))
    return response.status, answered(response)


def _carry(visit: Visit, method: str, path: str, page: str, body: Answer | None = None) -> Response:
    """Send one request; the views tell what came of it, and a refusal is said."""
    status, answer = ask(visit, method, path, body)
    if status >= 400:
        return visit.render("parts/operated.html", status=status, answer=answer)
    return visit.done(page)


def part(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")


# queues


def turn_queue(visit: Visit) -> Response:
    """Pause or resume a queue."""
    name, what = visit.params["name"], visit.params["what"]
    if what not in {"pause", "resume"}:
        raise NotFound(f"A queue cannot '{what:.40}'; there are pause, resume and config.")
    return _carry(visit, "POST", f"/queues/{part(name)}/{what}", "/play?see=queues")


# dead letters


def letter(visit: Visit) -> Response:
    """Retry one dead letter, or delete it for good."""
    job_id, what = visit.params["id"], visit.params["what"]
    path = f"/dead-letter/{part(job_id)}"
    if what == "retry":
        return _carry(visit, "POST", path + "/retry", "/play?see=dead")
    if what == "delete":
        return _carry(visit, "DELETE", path, "/play?see=dead")
    raise NotFound(f"A dead letter cannot '{what:.40}'; there are retry and delete.")


def letters(visit: Visit) -> Response:
    """Retry or purge all dead letters that a filter means: first shown, then done."""
    what, form = visit.params["what"], visit.form()
    if what not in {"retry", "purge"}:
        raise NotFound(f"Dead letters cannot '{what:.40}'; there are retry and purge.")
    asked = {name: form[name] for name in ("type", "error") if form.get(name)}
    wanted = list_views.letters(asked)
    engine = visit.app.session.engine
    if not form.get("confirm"):
        jobs, total = engine.dead_letters.page(wanted, SHOWN, 0)
        return _bulk(visit, mode="letters", what=what, jobs=jobs, total=total, asked=asked)
    chosen = {
        name: value
        for name, value in zip(("type", "error_type"), (wanted.type, wanted.error_type), strict=True)
        if value
    }
    place = _place(visit)
    if what == "retry":
        _, answer = ask(visit, "POST", "/dead-letter/retry", {"filter": chosen})
        count = answer.get("retried", 0)
    else:
        _, answer = ask(visit, "DELETE", "/dead-letter", {"confirm": True, "filter": chosen})
        count = answer.get("deleted", 0)
    done = "retried" if what == "retry" else "deleted for good"
    return _bulk(
        visit, mode="done", done=done, count_done=count, skipped=[], error=answer.get("error"), undo=place
    )


# workers


def direct(visit: Visit) -> Response:
    """Tell a worker to be quiet, to go on or to end, or forget one that has fallen silent."""
    worker, what = visit.params["id"], visit.params["what"]
    if what not in {"quiet", "resume", "terminate", "forget"}:
        raise NotFound(f"A worker cannot '{what:.40}'; there are quiet, resume, terminate and forget.")
    path = f"/admin/workers/{part(worker)}"
    if what == "forget":
        return _carry(visit, "DELETE", path, "/play?see=registry")
    return _carry(visit, "POST", f"{path}/{what}", "/play?see=registry")


# many jobs


class Place(NamedTuple):
    """Where undoing leads back to: a branch, and how many commands had been done on it."""

    branch: int
    done: int


def _place(visit: Visit) -> Place | None:
    """The place in history before what comes now; None where there is no way back."""
    session = visit.app.session
    if not session.virtual:
        return None
    timeline = visit.app.travel.timeline
    return Place(0, timeline.done)


def bulk(visit: Visit) -> Response:
    """Retry, cancel or delete the jobs that are selected, or all that match: first shown, then done."""
    what, fields = visit.params["what"], visit.fields()
    if what not in OPERATIONS:
        raise NotFound(f"Jobs cannot '{what:.40}'; there are {', '.join(OPERATIONS)}.")
    query = fields.get("q", [""])[-1]
    everyone = "all" in fields
    jobs = _meant(visit, query, fields.get("id", []), everyone=everyone)
    seen = preview(what, jobs)
    if "confirm" not in fields or not seen.possible:
        ids = [] if everyone else [job.id for job in jobs]
        return _bulk(
            visit,
            mode="preview",
            what=what,
            preview=seen,
            query=query,
            everyone=everyone,
            ids=ids,
            most=MAX_BULK,
            states=Counter(job.state for job in seen.possible),
        )
    return _carried_out(visit, what, seen.possible)


def _meant(visit: Visit, query: str, ids: list[str], *, everyone: bool) -> list[Job]:
    store = visit.app.session.engine.store
    if not everyone:
        return [job for one in dict.fromkeys(ids) if (job := store.get(one)) is not None]
    search = parse(query)
    if search.problems:
        problem = search.problems[0]
        raise InvalidRequest(f"{problem.what} {problem.hint} Nothing was done.", details={"field": "q"})
    return everything(store, search)


def _carried_out(visit: Visit, what: str, jobs: list[Job]) -> Response:
    """Send the bulk requests, as many jobs in each as it may have."""
    place = _place(visit)
    count, skipped, error = 0, Counter[str](), None
    ids = [job.id for job in jobs]
    for start in range(0, len(ids), MAX_BATCH):
        _, answer = ask(visit, "POST", f"/jobs/bulk/{what}", {"job_ids": ids[start : start + MAX_BATCH]})
        error = answer.get("error")
        if error is not None:
            break
        count += answer[DONE[what]]
        skipped.update(item["reason"] for item in answer["items"] if item["status"] == "skipped")
    return _bulk(
        visit,
        mode="done",
        done=DONE[what],
        count_done=count,
        skipped=skipped.most_common(_REASONS),
        error=error,
        undo=place,
    )


def _bulk(visit: Visit, *, mode: str, undo: Place | None = None, **context: Any) -> Response:
    """A preview or a result: a part of the pane, or without scripts a page of its own."""
    if undo is not None:  # acting in the past has begun a branch
        undo = undo._replace(branch=visit.app.travel.history.current.number)
    template = "parts/bulk.html" if visit.fragment else "pages/bulk.html"
    back = "/play?" + urlencode({"see": "dead" if mode == "letters" else "jobs"})
    return visit.render(
        template, mode=mode, undo=undo, back=back, virtual=visit.app.session.virtual, **context
    )
