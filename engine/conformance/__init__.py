"""The conformance runner: the published case language, run against any server that answers requests.

Nothing here opens a file or a socket or reads a clock: case files arrive as bytes, and a ``Target`` sends
requests and waits. In process the waits are moves of a virtual clock; over HTTP they are real.
"""
