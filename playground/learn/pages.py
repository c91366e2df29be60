"""The tutorial's pages: the chapters, a step, and what its buttons do."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from engine.errors import InvalidRequest
from engine.http.message import Response
from playground import workbench
from playground.learn.course import Step, course
from playground.learn.stage import begin
from playground.learn.watching import attempt_at
from playground.travel.sandbox import Sandbox
from playground.travel_pages import through
from playground.visit import Visit

JOB: Final = workbench.Pane("job", "Job", "learn/job.html")
"""The editor of a single job."""
CASES: Final = workbench.Pane("cases", "Conformance", "learn/cases.html")
"""Runs the cases of Level 0."""
DOING: Final = {pane.name: pane for pane in (JOB, CASES)} | {
    pane.name: pane._replace(label="Console" if pane.name == "console" else pane.label)
    for pane in workbench.DOING
    if pane.name in {"code", "console", "handlers", "workers"}
}
"""The panes where one acts, by their names in a step's head."""


class Sight(NamedTuple):
    """A live view beside a step.

    Args:
        name: Its name in a step's head, and in the address.
        view: The view's name.
        label: What its tab says.
    """

    name: str
    view: str
    label: str


SEEING: Final = {
    one.name: one
    for one in (
        Sight("jobs", "jobs", "Jobs"),
        Sight("board", "board", "Board"),
        Sight("events", "log", "Events"),
        Sight("timeline", "timeline", "Timeline"),
        Sight("dead", "dead:page=1", "Dead letters"),
        Sight("queues", "queues:page=1", "Queues"),
        Sight("cron", "cron", "Cron"),
        Sight("workflows", "workflows", "Workflows"),
        Sight("exchanges", "exchanges", "Requests"),
        Sight("conformance", "trial", "Cases"),
    )
}
"""The views that show what happens, by their names in a step's head."""


def overview(visit: Visit) -> Response:
    """The chapters with their steps."""
    whole = course()
    return visit.render(
        "pages/learn.html", course=whole, fast=[step for step in whole.steps.values() if step.fast]
    )


def step_page(visit: Visit) -> Response:
    """One step: text, goal, and where one acts; or what happens there, recorded, until it is begun."""
    return _page(visit, course().step(visit.params["step"]))


def _page(visit: Visit, step: Step) -> Response:
    fast = _fast(visit)
    whole = course()
    before, after = whole.neighbours(step, fast=fast)
    attempt = attempt_at(visit.app, step)
    return visit.render(
        "pages/step.html",
        step=step,
        attempt=attempt,
        chapter=whole.chapter(step.chapter),
        number=list(whole.steps).index(step.name) + 1,
        count=len(whole.steps),
        before=before,
        after=after,
        track="?track=fast" if fast else "",
        teaches=_teaches(visit, step),
        **(_panes(visit, step) if attempt is not None else {"streamed": []}),
    )


def _fast(visit: Visit) -> bool:
    return visit.asked("track") == "fast"


def _panes(visit: Visit, step: Step) -> dict[str, Any]:
    """Which panes are open, and what they need."""
    doing = [DOING[name] for name in step.do]
    seeing = [SEEING[name] for name in step.see]
    do = next((one for one in doing if one.name == visit.asked("do")), doing[0] if doing else None)
    see = next((one for one in seeing if one.name == visit.asked("see")), seeing[0])
    if do is not None and do.name == "code" and "language" not in visit.query:
        visit.query = {**visit.query, "language": [step.draft]}
    context: dict[str, Any] = dict(do.gather(visit)) if do is not None else {}
    if do is JOB:
        context["text"] = step.draft
    elif do is not None and do.name == "console" and step.draft:
        context["draft"] = _draft(step.draft)
    streamed = (f"goal:{step.name}", *(do.views if do is not None else ()), see.view)
    return {
        "doing": doing,
        "seeing": seeing,
        "do": do,
        "see": see,
        **context,
        "streamed": list(dict.fromkeys(streamed)),
    }


def _draft(text: str) -> Any:
    """What the console begins with: a line with method and path, an empty line, the body."""
    from playground.console import Draft  # noqa: PLC0415 - few steps have a console

    line, _, body = text.partition("\n\n")
    method, _, path = line.partition(" ")
    return Draft(method, path, "Content-Type: application/json" if body else "", body)


def _teaches(visit: Visit, step: Step) -> list[tuple[str, str]]:
    """The requirements that a step teaches, as (document, id)."""
    return [
        (document.name, one)
        for one in step.teaches
        for document in visit.app.documents.values()
        if one in document.requirements
    ]


def start(visit: Visit) -> Response:
    """Begin a step, or begin it again; the visitor's own session waits meanwhile."""
    step, app = course().step(visit.params["name"]), visit.app
    to = step.path + ("?track=fast" if _fast(visit) else "")
    if step.server:
        if app.session.virtual and app.site.host == "server":
            return through(visit, inside=False, to=to)
    elif not step.broken:
        begin(app.travel, step)
        if app.session is not app.travel:
            return through(visit, inside=True, to=to)
    if "hx-request" not in visit.request.headers:
        return visit.back(to)
    page = _page(visit, step)
    return Response(page.status, {**page.headers, "HX-Push-Url": to}, page.body)


def predict(visit: Visit) -> Response:
    """Take down what the visitor expects; until the goal is reached they may change their mind."""
    step = course().step(visit.params["name"])
    session, choice = visit.app.session, visit.form().get("choice", "")
    choices = (step.predict or {}).get("choices", ())
    if not choice.isascii() or not choice.isdecimal() or int(choice[:4]) >= len(choices):
        raise InvalidRequest(
            f"'{choice:.20}' is no answer to the question of this step.", details={"field": "choice"}
        )
    attempt = attempt_at(visit.app, step)
    if isinstance(session, Sandbox) and attempt is not None and not attempt.passed:
        session.attempt = attempt._replace(guess=int(choice))
    return visit.done(step.path)
