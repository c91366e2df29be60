"""Small pictures of figures, as SVG geometry: a row of bars, and a bar divided by shares. Numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


def bars(values: Sequence[int], most: int, width: float, height: float, below: Sequence[int] = ()) -> str:
    """The path of a row of bars, oldest left; empty where all are zero.

    Args:
        values: Their heights.
        most: The value that fills the height.
        width: Of one bar with its gap, in the picture's units.
        height: Of the picture.
        below: What each bar stands on; the floor where empty.
    """
    parts: list[str] = []
    for index, value in enumerate(values):
        if not value:
            continue
        floor = height - (below[index] if below else 0) * height / most
        tall = max(0.8, value * height / most)
        parts.append(f"M{index * width:.1f} {floor:.1f}v{-tall:.1f}h{width * 0.8:.1f}v{tall:.1f}z")
    return "".join(parts)


class Share(NamedTuple):
    """A part of a divided bar: its name, where it begins and how wide it is."""

    name: str
    x: float
    width: float


def shares(counts: Mapping[str, int], width: float) -> list[Share]:
    """A bar divided by counts; those that are zero are left out."""
    total = sum(counts.values())
    found: list[Share] = []
    x = 0.0
    for name, count in counts.items():
        if count:
            part = count * width / total
            found.append(Share(name, round(x, 2), round(part, 2)))
            x += part
    return found
