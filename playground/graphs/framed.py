"""A picture's pane, rendered by itself: its names meet nobody else's."""

from __future__ import annotations

from typing import Any

from playground.visit import Visit


def framed(visit: Visit, name: str, facts: dict[str, Any]) -> dict[str, Any]:
    """The context of ``work/graph.html``: the HTML of a pane.

    Args:
        visit: Who looks.
        name: The template in ``templates/graphs``.
        facts: What it needs.
    """
    doing = visit.query.get("do", [""])[0][:20]
    template = visit.app.env.get_template(f"graphs/{name}.html")
    return {"graph": template.render(visit=visit, view=visit.app.view, doing=doing, **facts)}
