"""The HTTP binding as a pure function: ``Request -> Response``."""
