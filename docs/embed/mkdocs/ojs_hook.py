"""MkDocs hook: blocks marked ``ojs`` become widgets; a block that cannot be played fails the build, with its line."""

from playground.embed.markdown import replaced


def on_page_markdown(markdown: str, **_: object) -> str:
    """Called by MkDocs for each page."""
    return replaced(markdown, "PLAYGROUND")
