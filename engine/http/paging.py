"""Pages of lists: cursor, offset and page number in, one shape out (OJS HTTP Binding 17)."""

from __future__ import annotations

from typing import Any

from engine.envelope import refuse


def cursor(offset: int) -> str:
    """The opaque mark of the page that begins at an offset."""
    from base64 import urlsafe_b64encode  # noqa: PLC0415 - most lists fit one page

    return urlsafe_b64encode(f"o{offset}".encode()).decode().rstrip("=")


def offset_of(mark: str) -> int:
    """The offset that a cursor stands for.

    Raises:
        InvalidRequest: This server made no such cursor.
    """
    from base64 import urlsafe_b64decode  # noqa: PLC0415 - the first page has no cursor

    try:
        text = urlsafe_b64decode(mark + "=" * (-len(mark) % 4)).decode("ascii")
        if text[0] == "o" and text[1:].isdecimal() and len(text) < 11:
            return int(text[1:])
    except (ValueError, IndexError):
        pass
    raise refuse("cursor", mark, "must be a 'next_cursor' of this server", "OJS HTTP Binding 17.1", "query")


def pagination(total: int, limit: int, offset: int, shown: int) -> dict[str, Any]:
    """The ``pagination`` object of a reply.

    Args:
        total: How many match in all.
        limit: Most on one page.
        offset: How many come before this page.
        shown: How many this page has.
    """
    more = offset + shown < total
    page: dict[str, Any] = {
        "total": total,
        "limit": limit,
        "offset": offset,
        "page": offset // limit + 1,
        "per_page": limit,
        "has_more": more,
    }
    if more:
        page["next_cursor"] = cursor(offset + shown)
    return page


def paged(name: str, rows: list[Any], limit: int, offset: int) -> dict[str, Any]:
    """One page of a whole list, under its own name and as ``items``."""
    page = rows[offset : offset + limit]
    return {name: page, "items": page, "pagination": pagination(len(rows), limit, offset, len(page))}
