"""A layout of steps that wait for each other: each stands in the column after the last one that it waits for.

Boxes may hold steps of their own, laid out alike. Nothing here knows what a step is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

BOX: Final = (176, 58)
"""Width and height of a step, units of the picture."""
GAP: Final = (104, 16)
"""Between columns, where results are told, and between the boxes of one column."""
FRAME: Final = (14, 30, 14)
"""Room inside a box with steps of its own: at the sides, above, below."""


@dataclass(slots=True)
class Node:
    """A step, or a workflow inside another.

    Args:
        key: Its own among its neighbours.
        facts: What the template shows of it.
        needs: Keys of the neighbours that it waits for, each with a mark for the edge, e.g. ``on_success``.
        inner: The steps inside it; empty for a job.
        x: Left edge; filled by `arrange`, like the others.
        y: Upper edge.
        width: Its width.
        height: Its height.
    """

    key: str
    facts: dict[str, Any]
    needs: dict[str, str] = field(default_factory=dict)
    inner: list[Node] = field(default_factory=list)
    x: float = 0
    y: float = 0
    width: float = BOX[0]
    height: float = BOX[1]


@dataclass(frozen=True, slots=True)
class Edge:
    """A curve from one node to another: SVG path data, and the edge's mark."""

    path: str
    mark: str


def arrange(nodes: Sequence[Node], x: float = 0, y: float = 0) -> tuple[float, float]:
    """Give each node its place, and those inside it theirs.

    Args:
        nodes: Neighbours; what one needs stands before it.
        x: Left edge of the whole.
        y: Upper edge.

    Returns:
        Width and height of the whole.
    """
    for node in nodes:
        if node.inner:
            width, height = arrange(node.inner)
            node.width, node.height = width + 2 * FRAME[0], height + FRAME[1] + FRAME[2]
        else:
            node.width, node.height = BOX
    columns = _columns(nodes)
    heights = [sum(node.height for node in column) + GAP[1] * (len(column) - 1) for column in columns]
    tallest = max(heights, default=0)
    left = x
    for column, height in zip(columns, heights, strict=True):
        widest = max(node.width for node in column)
        top = y + (tallest - height) / 2
        for node in column:
            _move(node, left + (widest - node.width) / 2, top)
            top += node.height + GAP[1]
        left += widest + GAP[0]
    return max(0, left - GAP[0] - x), tallest


def _columns(nodes: Sequence[Node]) -> list[list[Node]]:
    level: dict[str, int] = {}
    for node in nodes:
        level[node.key] = 1 + max((level[need] for need in node.needs if need in level), default=-1)
    columns: list[list[Node]] = [[] for _ in range(1 + max(level.values(), default=-1))]
    row: dict[str, float] = {}
    for node in sorted(nodes, key=lambda one: level[one.key]):
        columns[level[node.key]].append(node)
    for column in columns:
        # Beside what they follow from, so that few edges cross.
        column.sort(key=lambda one: _middle([row[need] for need in one.needs if need in row]))
        for index, node in enumerate(column):
            row[node.key] = index - len(column) / 2
    return columns


def _middle(rows: list[float]) -> float:
    return sum(rows) / len(rows) if rows else 0.0


def _move(node: Node, x: float, y: float) -> None:
    """Put a node, whose inner ones stand as if its inside began at 0, at its place."""
    node.x, node.y = x, y
    for inner in node.inner:
        _shift(inner, x + FRAME[0], y + FRAME[1])


def _shift(node: Node, x: float, y: float) -> None:
    node.x += x
    node.y += y
    for inner in node.inner:
        _shift(inner, x, y)


def every(nodes: Sequence[Node]) -> Iterator[Node]:
    """The nodes and those inside them, outer ones first."""
    for node in nodes:
        yield node
        yield from every(node.inner)


def edges(nodes: Sequence[Node]) -> Iterator[Edge]:
    """The curves between neighbours, on every level."""
    known = {node.key: node for node in nodes}
    for node in nodes:
        for need, mark in node.needs.items():
            if need in known:
                yield Edge(_curve(known[need], node), mark)
        yield from edges(node.inner)


def _curve(source: Node, target: Node) -> str:
    x0, y0 = source.x + source.width, source.y + source.height / 2
    x1, y1 = target.x - 5, target.y + target.height / 2
    bend = max(24.0, (x1 - x0) / 2)
    return f"M{x0:.0f} {y0:.0f}C{x0 + bend:.0f} {y0:.0f} {x1 - bend:.0f} {y1:.0f} {x1:.0f} {y1:.0f}"
