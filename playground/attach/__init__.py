"""Attach: another OJS server, shown in this playground's views through its own API (``serve --attach URL``).

`remote` talks to it, `shapes` reads what servers answer, `reader` looks at all of it, `session` keeps the copy that the
views show and passes on whatever is done.
"""
