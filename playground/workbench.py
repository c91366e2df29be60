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
        views: Names of the live views that it contains.
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
    Pane("compose", "Compose", "work/compose.html", context="workbench:composing"),
    # console
    # handlers
    Pane("workers", "Workers", "work/workers.html", ("workers", "faults")),
    # code
    Pane("code", "Code", "work/code.html", context="code_pages:pane"),
)
"""The left side."""

SEEING: Final = (
    Pane("board", "Board", "work/board.html", ("board",)),
    # views
    Pane("jobs", "Jobs", "work/jobs.html", ("jobs",)),
    # graphs
    Pane("events", "Events", "work/events.html", ("log",)),
)
"""The right side."""


def composing(visit: Visit) -> Context:
    """The editor with a job to start from."""
    from playground.samples import BY_NAME, SAMPLES  # noqa: PLC0415 - one pane of many wants it

    sample = BY_NAME.get(visit.query.get("sample", [""])[0], SAMPLES[0])
    return {"samples": SAMPLES, "text": sample.text, "chosen": sample.name}


def _chosen(panes: tuple[Pane, ...], visit: Visit, name: str) -> Pane:
    wanted = visit.query.get(name, [""])[0]
    return next((pane for pane in panes if pane.name == wanted), panes[0])


def page(visit: Visit) -> Response:
    """The workbench with the panes that the address names."""
    do, see = _chosen(DOING, visit, "do"), _chosen(SEEING, visit, "see")
    return visit.render(
        "pages/play.html",
        doing=DOING,
        seeing=SEEING,
        do=do,
        see=see,
        **do.gather(visit),
        **see.gather(visit),
        streamed=list(dict.fromkeys(do.views + see.views)),
    )
