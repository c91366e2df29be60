"""Sphinx: the script in the head, and a directive that records a widget's result when the pages are built."""

from docutils import nodes
from docutils.parsers.rst import Directive

from playground.embed.markdown import fence

project = "Docs"
html_js_files = [("PLAYGROUND/embed.js", {"async": "async"})]


class Ojs(Directive):
    """``.. ojs:: Label views=log``, with a job, a request or a scenario below."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """The widget's HTML; FenceError ends the build."""
        info = " ".join(["ojs", *self.arguments])
        return [nodes.raw("", fence("\n".join(self.content), info, "PLAYGROUND"), format="html")]


def setup(app: object) -> None:
    """Called by Sphinx."""
    app.add_directive("ojs", Ojs)  # type: ignore[attr-defined]
