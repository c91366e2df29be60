"""The workbench: which panes it has. Left stands what one does, right what one sees; both are in the page's address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

from engine.http.message import Response
from playground.visit import Visit

Context = Mapping[str, Any]


class Pane(NamedTuple):
    """One pane.

    Args:
        name: Its name in the address.
        label: What its tab says.
        template: What shows it, in ``templates``.
        views: Names of the live views that it contains; ``{name}`` stands for a value of the context.
        context: ``module:function`` in `playground` that gathers what the template needs from the visit; may be empty.
    """

    name: str
    label: str
    template: str
    views: tuple[str, ...] = ()
    context: str = ""

    def gather(self, visit: Visit) -> Context:
        """What the template needs."""
        if not self.context:
            return {}
        module, _, function = self.context.partition(":")
        gather: Callable[[Visit], Context] = getattr(import_module(f"playground.{module}"), function)
        return gather(visit)


DOING: Final = (
    Pane("compose", "Compose", "work/compose.html", context="compose_pages:composing"),
    # console
    Pane("console", "HTTP", "work/console.html", ("exchanges",), context="console_pages:drafting"),
    # handlers
    Pane("handlers", "Handlers", "work/handlers.html", context="handlers:pane"),
    Pane("workers", "Workers", "work/workers.html", ("workers", "faults"), "demo_pages:pane"),
    # code
    Pane("code", "Code", "work/code.html", context="code_pages:pane"),
)
"""The left side."""

SEEING: Final = (
    Pane("board", "Board", "work/board.html", ("board",)),
    # views
    Pane("jobs", "Jobs", "work/found.html", ("found:{found_at}",), "list_panes:found"),
    Pane("queues", "Queues", "work/queues.html", ("queues:{queues_at}",), "list_panes:queues"),
    Pane("dead", "Dead letter", "work/dead.html", ("dead:{dead_at}", "failures"), "list_panes:dead"),
    Pane("limits", "Limits", "work/limits.html", ("limits",)),
    Pane("registry", "Registry", "work/registry.html", ("registry",)),
    # graphs
    Pane("timeline", "Timeline", "work/graph.html", context="graphs.timeline:pane"),
    Pane("retries", "Retries", "work/graph.html", context="graphs.retries:pane"),
    Pane("compare", "Compare", "work/graph.html", context="graphs.compare:pane"),
    Pane("cron", "Cron", "work/graph.html", context="graphs.cron:pane"),
    Pane("workflows", "Workflows", "work/graph.html", context="graphs.workflows:pane"),
    Pane("events", "Events", "work/events.html", ("log",)),
)
"""The right side."""


def _chosen(panes: tuple[Pane, ...], visit: Visit, name: str) -> Pane:
    wanted = visit.query.get(name, [""])[0]
    return next((pane for pane in panes if pane.name == wanted), panes[0])


def page(visit: Visit, *, status: int = 200, **typed: Any) -> Response:
    """The workbench with the panes that the address names.

    Args:
        visit: The request.
        status: HTTP status.
        typed: What a pane shows instead of what it would begin with, e.g. what was typed and is refused.
    """
    offers = visit.app.session.offers
    doing, seeing = (tuple(one for one in panes if offers(one.name)) for panes in (DOING, SEEING))
    do, see = _chosen(doing, visit, "do"), _chosen(seeing, visit, "see")
    context = {**do.gather(visit), **see.gather(visit), **typed}
    streamed = [view.format_map(context) for view in (*do.views, *see.views, "news")]
    return visit.render(
        "pages/play.html",
        status=status,
        doing=doing,
        seeing=seeing,
        do=do,
        see=see,
        **context,
        streamed=list(dict.fromkeys(streamed)),
    )
