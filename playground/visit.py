"""One request as a page's handler sees it, and how it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from engine.errors import InvalidPayload, NotFound
from engine.http.message import Request, Response

if TYPE_CHECKING:
    from playground.app import Application


MAX_FIELDS: Final = 5000
"""Most fields of a form; one of selected jobs has one for each."""


class Visit:
    """One request to a page or fragment.

    Args:
        app: The application.
        request: The request itself.
        path: Its path without the query.
        query: Query parameters, each with all its values.
        params: Path parameters, percent-decoded; filled by the route.
    """

    __slots__ = ("app", "params", "path", "query", "request")

    def __init__(self, app: Application, request: Request, path: str, query: Mapping[str, list[str]]) -> None:
        self.app = app
        self.request = request
        self.path = path
        self.query = query
        self.params: Mapping[str, str] = {}

    @property
    def fragment(self) -> bool:
        """Whether a part of a page is asked for, not a whole one."""
        return self.request.headers.get("hx-request-type", "") == "partial" or (
            self.path.startswith("/ui/") and "hx-request" in self.request.headers
        )

    def must_offer(self, part: str, what: str) -> None:
        """Refuse a page about what the attached server does not have.

        Args:
            part: The part of the views, see `Session.offers`.
            what: What it is called.

        Raises:
            NotFound: It has none.
        """
        if not self.app.session.offers(part):
            raise NotFound(
                f"The attached server has no {what}: its manifest says so, or it has no such route."
            )

    def asked(self, name: str) -> str:
        """A query parameter, of a repeated one the last; empty where there is none."""
        return self.query.get(name, [""])[-1]

    def form(self) -> dict[str, str]:
        """The fields of a posted form; of a repeated one the last.

        Raises:
            InvalidPayload: Not a form, or not UTF-8.
        """
        return {name: values[-1] for name, values in self.fields().items()}

    def fields(self) -> dict[str, list[str]]:
        """The fields of a posted form, each with all its values.

        Raises:
            InvalidPayload: Not a form, or not UTF-8.
        """
        from urllib.parse import parse_qs  # noqa: PLC0415 - a tab's start can do without

        try:
            return parse_qs(self.request.body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except (UnicodeDecodeError, ValueError) as error:
            raise InvalidPayload(f"The form cannot be read: {error}.") from None

    def render(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """Answer with a template."""
        html = self.app.env.get_template(template).render(visit=self, view=self.app.view, **context)
        return Response(
            status, {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}, html.encode()
        )

    def back(self, to: str) -> Response:
        """Answer a form that was sent without scripts: go on to a page."""
        return Response(303, {"Location": to, "Content-Type": "text/html; charset=utf-8"})

    def done(self, page: str = "/") -> Response:
        """An action is done; the views hear of it by their stream, which is the one way in which they change.

        Args:
            page: Where to go on without scripts.
        """
        return Response(204) if self.fragment else self.back(page)
