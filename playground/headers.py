"""The response headers of the whole site: one table for the server, the static build and its host's files."""

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
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""The Content Security Policy of every page and of the engine's worker."""

SECURITY: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""On every response."""

FOREVER: Final = "public, max-age=31536000, immutable"
"""For files whose names carry their content's hash."""

REVALIDATE: Final = "public, max-age=0, must-revalidate"
"""For pages."""
