"""The application around the engine: pages, hosts, commands."""
