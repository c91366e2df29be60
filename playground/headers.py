"""What hosts must know of the site: its shell, and its headers, one table for servers and the build."""

from __future__ import annotations

from typing import Final

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",  # Pyodide is WebAssembly; no other code is ever made from text
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self'",
        "frame-src 'self'",  # the sandbox of the visitor's JavaScript; it has a policy of its own, see `SANDBOX`
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""The Content Security Policy of every page and of the engine's worker."""

FRAMED: Final = {
    "Content-Security-Policy": POLICY.replace("frame-ancestors 'none'", "frame-ancestors *"),
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""What differs on the one page that other sites may frame; all that can be done there is to play."""

FRAMED_PAGE: Final = "/embed/frame"
"""Its path."""

WIDGET: Final = {
    "Cache-Control": "public, max-age=600",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
}
"""What differs on the script that other sites load (``/embed.js``); its name stays, so browsers ask again soon."""

WIDGET_SCRIPT: Final = "embed.js"
"""Its name among the static files, and below the root."""

SECURITY: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""On every response."""

SANDBOX: Final = {
    "Content-Security-Policy": "; ".join(
        (
            "sandbox allow-scripts",  # an origin of its own: no storage, no cookie, nothing of the site's
            "default-src 'none'",
            "script-src 'unsafe-inline' 'unsafe-eval' blob:",
            "worker-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
        )
    )
}
"""What differs on the one document in which the visitor's own JavaScript runs (``static/sandbox.html``)."""

SANDBOX_PAGE: Final = "sandbox.html"
"""Its name among the static files."""

FOREVER: Final = "public, max-age=31536000, immutable"
"""For files whose names carry their content's hash."""

REVALIDATE: Final = "public, max-age=0, must-revalidate"
"""For pages."""

MARK: Final = ".ojs-playground"
"""Names a folder as ours: only such a folder, or an empty one, is ever replaced."""
SHELL: Final = "404.html"
"""Where most static hosts look for the answer to an unknown address."""
ONLY_ENGINE: Final = ("/play", "/conformance/cases", "/spec/published")
"""Below these only the engine knows addresses: hosts that read ``_redirects`` answer them with the shell, as found."""


def rules() -> list[tuple[str, dict[str, str]]]:
    """Which headers go on which paths: a pattern with ``*`` and the headers, the general one first."""
    return [
        ("/*", {**SECURITY, "Cache-Control": REVALIDATE}),
        ("/static/*", {"Cache-Control": FOREVER}),
        ("/static/sandbox.*", SANDBOX),
        (f"{FRAMED_PAGE}/*", FRAMED),
        (f"/{WIDGET_SCRIPT}", WIDGET),
        ("/engine/*", {"Cache-Control": FOREVER}),
        ("/engine/*.wasm", {"Content-Type": "application/wasm"}),
    ]
