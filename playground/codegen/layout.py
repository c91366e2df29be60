"""How nested values are laid out: on one line where they fit, else one line for each member."""

from __future__ import annotations

from typing import Final, NamedTuple

WIDTH: Final = 88
"""A group that ends beyond this column is broken."""


class Group(NamedTuple):
    """Members between two brackets.

    Args:
        opening: E.g. ``[``, or ``ojs.RetryPolicy(``.
        members: What stands between, each with its prefix (``"key": ``, or nothing) and its value.
        closing: E.g. ``]``.
        pad: Stands inside the brackets on one line, e.g. the spaces of ``{ a: 1 }``.
        comma: Stands behind the last member of a broken group.
    """

    opening: str
    members: list[tuple[str, Node]]
    closing: str
    pad: str = ""
    comma: str = ""


Node = str | Group
"""A group, or text that stays as it is."""


def flat(node: Node) -> str:
    """The node on one line."""
    if isinstance(node, str):
        return node
    inner = ", ".join(prefix + flat(member) for prefix, member in node.members)
    return (
        f"{node.opening}{node.pad}{inner}{node.pad}{node.closing}" if inner else node.opening + node.closing
    )


def _fits(node: Node, room: int) -> int:
    """How much room is left behind the node on one line; negative when it does not fit, told early."""
    if isinstance(node, str):
        return room - len(node) if "\n" not in node else -1
    room -= len(node.opening) + len(node.closing) + 2 * len(node.pad)
    for prefix, member in node.members:
        if room < 0:
            break
        room = _fits(member, room - len(prefix) - 2)
    return room


def layout(node: Node, unit: str = "    ", depth: int = 0, column: int = 0) -> str:
    """Text of a node.

    Args:
        node: What to lay out.
        unit: One step of indentation.
        depth: Steps of indentation of the line on which the node begins.
        column: Where on that line it begins.
    """
    if isinstance(node, str):
        return node
    if not node.members or _fits(node, WIDTH - column) >= 0:
        return flat(node)
    inner = unit * (depth + 1)
    lines = [
        inner + prefix + layout(member, unit, depth + 1, len(inner) + len(prefix))
        for prefix, member in node.members
    ]
    return f"{node.opening}\n" + ",\n".join(lines) + f"{node.comma}\n{unit * depth}{node.closing}"
