"""The project's tests: unit, property, host, browser."""
