"""The pages and fragments: one table of routes, one short handler for each."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from itertools import pairwise
from typing import Final, NamedTuple

from engine.errors import InvalidRequest, NotFound
from engine.http.message import Request, Response
from playground import examples, spec
from playground.answers import answered
from playground.samples import BY_NAME, SAMPLES
from playground.visit import Visit

MAX_VIEWS: Final = 8
"""Most views in one stream."""


Handler = Callable[[Visit], Response]


class Page(NamedTuple):
    """One page or fragment.

    Args:
        method: HTTP method.
        path: Path with ``{name}`` for a parameter.
        handler: Answers it.
        summary: What it is, for the list of routes in CONTRIBUTING.md.
        static: Whether the static build renders it ahead.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    static: bool = False


PARTS: Final = (
    (0, "The ground", "What a job is, how it looks on the wire, and what becomes of it."),
    (20, "What a server does", "Failure and time, workers, cron, uniqueness, events and workflows."),
    (40, "Extensions", "Official additions that a server declares in its manifest; this one has them."),
    (90, "Proof", "Which server may call itself conformant, and what shows it."),
)
"""The reference's parts: the `order` from which a document belongs to it, its title, and what it is about."""


# pages


def home(visit: Visit) -> Response:
    """What OJS and this page are; below it the whole thing, alive."""
    chosen = visit.query.get("sample", [""])[0]
    sample = BY_NAME.get(chosen, SAMPLES[0])
    return visit.render("pages/home.html", samples=SAMPLES, text=sample.text, chosen=sample.name)


def spec_index(visit: Visit) -> Response:
    """The documents of the reference, in parts by their order."""
    documents = visit.app.documents.values()
    parts = [
        (title, about, [one for one in documents if first <= one.order < end])
        for (first, title, about), (end, _, _) in pairwise((*PARTS, (1000, "", "")))
    ]
    return visit.render("pages/spec_index.html", parts=parts)


def spec_page(visit: Visit) -> Response:
    """One document of the reference."""
    return visit.render("pages/spec.html", document=_document(visit))


def errata(visit: Visit) -> Response:
    """Where the standard's documents disagree, and what this engine does."""
    from playground import rulings  # noqa: PLC0415 - one page of many wants it

    found = rulings.load()
    groups: dict[str, list[rulings.Ruling]] = {}
    for ruling in found.rulings.values():
        groups.setdefault(f"Level {ruling.level}" if ruling.extension is None else "Extensions", []).append(
            ruling
        )
    ordered = dict(sorted(groups.items(), key=lambda group: (group[0] == "Extensions", group[0])))
    return visit.render("pages/errata.html", order=found.order, groups=ordered, count=len(found.rulings))


def _document(visit: Visit) -> spec.Document:
    name = visit.params["document"]
    found = visit.app.documents.get(name)
    if found is None:
        raise NotFound(
            f"There is no document '{name:.60}' in the reference.", details={"resource_type": "document"}
        )
    return found


def job_page(visit: Visit) -> Response:
    """One job."""
    job_id = visit.params["id"]
    known = visit.app.session.seek(job_id) is not None
    return visit.render("pages/job.html", job_id=job_id, status=200 if known else 404)


# views


def stream(visit: Visit) -> Response:
    """Live views as server-sent events."""
    names = tuple(dict.fromkeys(visit.query.get("view", ())))
    if not 1 <= len(names) <= MAX_VIEWS:
        raise InvalidRequest(
            f"Name 1 to {MAX_VIEWS} views: /ui/stream?view=board&view=jobs.", details={"field": "view"}
        )
    for name in names:
        visit.app.view(name)
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(200, headers, visit.app.live.stream(names))


def one_view(visit: Visit) -> Response:
    """One live view, once."""
    html = visit.app.view(visit.params["view"])
    return Response(
        200, {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}, html.encode()
    )


# actions


def _answer(visit: Visit, method: str, path: str, body: bytes) -> tuple[int, dict[str, object]]:
    """Send a request to the binding, as any client would, and read its JSON."""
    headers = {"content-type": "application/json"}
    response = visit.app.session.handle(Request(method, "/ojs/v1" + path, headers, body))
    return response.status, answered(response)


def enqueue(visit: Visit) -> Response:
    """Enqueue the job in the editor; what is wrong is said beside it."""
    text = visit.form().get("body", "")
    status, answer = _answer(visit, "POST", "/jobs", text.encode("utf-8", "replace"))
    if visit.fragment:
        return visit.render("parts/enqueued.html", answer=answer, status=200 if status < 300 else 422)
    if status < 300:
        return visit.back("/")
    return visit.render("pages/home.html", samples=SAMPLES, text=text, chosen="", answer=answer, status=422)


OPERATIONS: Final = {
    "cancel": ("DELETE", ""),
    "activate": ("POST", "/activate"),
    "retry": ("POST", "/retry"),
}
"""What the buttons on a job's page do, as requests to the binding."""


def operate(visit: Visit) -> Response:
    """Cancel, activate or retry a job from its page."""
    job_id, operation = visit.params["id"], visit.params["operation"]
    if operation not in OPERATIONS:
        raise NotFound(f"There is no operation '{operation:.40}'; there are {', '.join(OPERATIONS)}.")
    from urllib.parse import quote  # noqa: PLC0415 - a tab's start can do without

    method, tail = OPERATIONS[operation]
    _, answer = _answer(visit, method, f"/jobs/{quote(job_id, safe='')}{tail}", b"")
    if not visit.fragment:
        return visit.back(f"/play/jobs/{quote(job_id, safe='')}")
    return visit.render("parts/operated.html", answer=answer)


def start_worker(visit: Visit) -> Response:
    """Start a demo worker."""
    visit.app.session.work("start")
    visit.app.session.tick()
    return visit.done()


def treat_worker(visit: Visit) -> Response:
    """Stop or kill a demo worker, or let one of the faults befall it."""
    visit.app.session.work(visit.params["how"], visit.params["id"])
    return visit.done()


def run_example(visit: Visit) -> Response:
    """Run an example of the reference in the visitor's session."""
    document = _document(visit)
    example = document.examples.get(visit.params["example"])
    if example is None:
        raise NotFound(f"There is no example '{visit.params['example']:.60}' in '{document.name}'.")
    text = visit.form().get("text", "").replace("\r\n", "\n")
    if text and text != examples.written(example):
        try:
            example = examples.parse(example.name, example.title, text)
        except ValueError as error:
            raise InvalidRequest(str(error), details={"field": "text"}) from None
    exchanges = examples.run(example, visit.app.session.handle)
    if not visit.fragment:
        return visit.back(f"/spec/{document.name}#example-{example.name}")
    return visit.render("parts/exchanges.html", exchanges=exchanges, live=True)


def reset(visit: Visit) -> Response:
    """Forget everything, the answer beside the editor too."""
    visit.app.session.reset()
    if not visit.fragment:
        return visit.back("/")
    return Response(200, {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"})


def later(name: str, module: str = "trial_pages") -> Handler:
    """A handler whose imports cost a tab's start too much.

    Args:
        name: The function's name.
        module: Its module in `playground`.
    """

    def handler(visit: Visit) -> Response:
        response: Response = getattr(import_module(f"playground.{module}"), name)(visit)
        return response

    return handler


PAGES: Final = (
    Page("GET", "/", home, "Home: understand OJS in 60 seconds.", static=True),
    Page("GET", "/connect", later("page", "connect_pages"), "Connect your SDK.", static=True),
    Page("GET", "/spec", spec_index, "The reference's documents.", static=True),
    Page("GET", "/spec/errata", errata, "Where the documents disagree, and the rulings.", static=True),
    Page("GET", "/spec/endpoints", later("endpoints", "reference"), "Every endpoint.", static=True),
    Page("GET", "/spec/error-codes", later("error_catalogue", "reference"), "Every error.", static=True),
    Page("GET", "/spec/event-types", later("event_types", "reference"), "Every event type.", static=True),
    Page("GET", "/spec/terms", later("index", "term_pages"), "Every term.", static=True),
    Page("GET", "/spec/terms/{kind}", later("kind", "term_pages"), "The terms of one kind.", static=True),
    Page("GET", "/spec/all", later("whole", "term_pages"), "The reference on one page.", static=True),
    Page("GET", "/spec/search.json", later("index", "hands"), "What search and palette know.", static=True),
    Page("GET", "/spec/requirements.json", later("index", "reference"), "All requirements.", static=True),
    Page("POST", "/ui/errors/{code}", later("make_error", "reference"), "Make an error happen."),
    Page(
        "GET", "/spec/published", later("shelf", "published_pages"), "The published documents.", static=True
    ),
    Page("GET", "/spec/published/{name}", later("document", "published_pages"), "One published document."),
    Page("POST", "/ui/published", later("put", "published_pages"), "Put a checkout on the shelf."),
    Page("POST", "/ui/published/run", later("run", "published_pages"), "Send an example's request."),
    Page(
        "GET", "/ui/published/check", later("check", "published_pages"), "What is wrong with the documents."
    ),
    Page(
        "GET",
        "/spec/coverage",
        later("coverage_page", "evidence"),
        "Requirements with and without cases.",
        static=True,
    ),
    Page(
        "GET",
        "/spec/{document}/{id}",
        later("one_requirement", "evidence"),
        "One requirement with its cases.",
    ),
    Page(
        "GET",
        "/ui/evidence/{document}/{id}",
        later("one_requirement", "evidence"),
        "The same, as a fragment.",
    ),
    Page("POST", "/ui/evidence/{document}", later("run_evidence", "evidence"), "Run a document's evidence."),
    Page("GET", "/spec/{document}", spec_page, "One document of the reference.", static=True),
    Page("GET", "/play", later("page", "workbench"), "The workbench.", static=True),
    Page("GET", "/play/jobs/{id}", job_page, "One job."),
    # console
    Page("POST", "/ui/compose", later("run", "compose_pages"), "Send what was composed."),
    Page("POST", "/ui/compose/check", later("problems", "compose_pages"), "What is wrong with it, as JSON."),
    Page("POST", "/ui/console", later("send", "console_pages"), "Send the console's request."),
    Page("GET", "/ui/exchanges/{number}", later("exchange", "console_pages"), "An exchange in the console."),
    Page(
        "GET",
        "/ui/exchanges/{number}/as/{form}",
        later("retold", "console_pages"),
        "Its request as curl, fetch, Python or a scenario's step.",
    ),
    Page(
        "GET", "/ui/exchanges/{number}/body", later("body", "console_pages"), "Its answer's body as a file."
    ),
    # views
    Page("GET", "/play/queues/{name}", later("queue_page", "queue_pages"), "One queue."),
    Page("POST", "/ui/found/{what}", later("bulk", "list_pages"), "Retry, cancel or delete many jobs."),
    Page("POST", "/ui/queues/{name}/config", later("configure", "queue_pages"), "Set its configuration."),
    Page("POST", "/ui/queues/{name}/{what}", later("turn_queue", "list_pages"), "Pause or resume a queue."),
    Page("POST", "/ui/dead-letter/{what}", later("letters", "list_pages"), "Retry or purge dead letters."),
    Page(
        "POST",
        "/ui/dead-letter/{id}/{what}",
        later("letter", "list_pages"),
        "Retry or delete one dead letter.",
    ),
    Page("POST", "/ui/registry/{id}/{what}", later("direct", "list_pages"), "Tell a worker what to do."),
    # graphs
    Page("GET", "/ui/compare", later("fragment", "graphs.compare"), "Two runs, one over the other."),
    Page("POST", "/ui/compare/open", later("open_changed", "graphs.compare"), "Open the changed run."),
    Page("GET", "/play/workflows", later("page", "graphs.workflows"), "All workflows and a builder."),
    Page("GET", "/play/workflows/{id}", later("workflow_page", "graphs.workflows"), "One workflow."),
    Page("POST", "/ui/workflows", later("create", "graphs.workflows"), "Create what the builder says."),
    Page(
        "POST",
        "/ui/workflows/build",
        later("build", "graphs.workflow_builder"),
        "The builder of workflows after a change.",
    ),
    Page("POST", "/ui/workflows/{id}/cancel", later("cancel", "graphs.workflows"), "Cancel a workflow."),
    Page("GET", "/play/cron", later("page", "graphs.cron"), "The cron entries and a builder."),
    Page("POST", "/ui/cron", later("create", "graphs.cron"), "Create or replace a cron entry."),
    Page(
        "POST", "/ui/cron/build", later("build", "graphs.cron"), "The builder of cron entries after a change."
    ),
    Page(
        "POST",
        "/ui/cron/{name}/{how}",
        later("treat", "graphs.cron"),
        "Pause, resume, trigger or delete one.",
    ),
    Page("GET", "/ui/retries", later("plan", "graphs.retries"), "The waits that a retry policy plans."),
    # embed
    Page("GET", "/embed/frame", later("frame", "embed.pages"), "What a widget's frame holds.", static=True),
    Page("GET", "/embed", later("builder", "embed.pages"), "The builder of widgets.", static=True),
    Page("POST", "/ui/embed", later("made", "embed.pages"), "The widget that the builder's form asks for."),
    Page(
        "POST", "/ui/embed/{room}/{move}", later("move", "embed.pages"), "Load a widget's run, or move in it."
    ),
    # handlers
    Page("POST", "/ui/demo/settings", later("tune", "demo_pages"), "Change how demo workers work."),
    Page("POST", "/ui/demo/behaviours", later("behave", "demo_pages"), "Change what demo handlers do."),
    # code
    Page("POST", "/ui/code", later("code", "code_pages"), "A job as code."),
    Page("GET", "/conformance", later("overview"), "The conformance cases and how they end.", static=True),
    Page("GET", "/conformance/cases/{id}", later("case_page"), "One conformance case."),
    Page("GET", "/learn", later("overview", "learn.pages"), "The tutorial's chapters.", static=True),
    Page("GET", "/learn/{chapter}/{step}", later("step_page", "learn.pages"), "One step.", static=True),
    Page("POST", "/ui/learn/{name}/start", later("start", "learn.pages"), "Begin a step, or again."),
    Page("POST", "/ui/learn/{name}/predict", later("predict", "learn.pages"), "Say what one expects."),
    Page("GET", "/scenarios", later("overview", "library_pages"), "The library of scenarios.", static=True),
    Page(
        "GET",
        "/scenarios/schema.json",
        later("schema_file", "library_pages"),
        "The JSON Schema of scenarios.",
        static=True,
    ),
    Page(
        "GET",
        "/scenarios/{name}",
        later("lesson_page", "library_pages"),
        "One scenario, played.",
        static=True,
    ),
    Page("GET", "/ui/stream", stream, "Live views as server-sent events."),
    Page("GET", "/ui/views/{view}", one_view, "One live view, once."),
    Page("POST", "/ui/jobs", enqueue, "Enqueue the job in the editor."),
    Page("POST", "/ui/jobs/{id}/{operation}", operate, "Cancel, activate or retry a job."),
    Page("POST", "/ui/workers", start_worker, "Start a demo worker."),
    Page("POST", "/ui/workers/{id}/{how}", treat_worker, "Stop or kill a demo worker, or disturb it."),
    Page("POST", "/ui/examples/{document}/{example}", run_example, "Run an example of the reference."),
    Page("POST", "/ui/conformance/run", later("run_cases"), "Run cases."),
    Page("POST", "/ui/conformance/stop", later("stop_cases"), "End the run."),
    Page("POST", "/ui/conformance/cases", later("load_cases"), "Take other cases."),
    Page(
        "POST", "/ui/conformance/cases/{id}/open/{step}", later("open_moment"), "Open the state after a step."
    ),
    Page("POST", "/ui/time/{move}", later("move", "travel_pages"), "Move through time."),
    Page("GET", "/ui/moment", later("moment", "travel_pages"), "This moment: its hash, its link, its files."),
    Page("POST", "/ui/moment", later("open_text", "travel_pages"), "Open a scenario or a link."),
    Page("POST", "/ui/moment/link", later("link", "travel_pages"), "A link that carries the editors' code."),
    Page(
        "GET", "/ui/moment/{form}", later("moment_file", "travel_pages"), "This moment as scenario or case."
    ),
    Page(
        "GET",
        "/ui/branches",
        later("branches", "travel_pages"),
        "The branches, and what differs between two.",
    ),
    Page(
        "POST",
        "/ui/branches/{number}/{what}",
        later("branch", "travel_pages"),
        "Return to a branch, or name it.",
    ),
    Page(
        "POST",
        "/ui/sandbox/{how}",
        later("sandbox", "travel_pages"),
        "Enter the sandbox beside a server, or leave.",
    ),
    Page("POST", "/ui/scenarios/{name}/open", later("open_lesson", "library_pages"), "Open a scenario."),
    Page("GET", "/ui/scenarios/{name}/file", later("lesson_file", "library_pages"), "A scenario as a file."),
    Page("GET", "/ui/conformance/report/{form}", later("report"), "The results as a file."),
    Page("POST", "/ui/reset", reset, "Forget every job and event."),
)
"""Every page and fragment of the playground."""
