"""Stores that outlive the process: one SQL store behind the engine's `Store`, for SQLite and PostgreSQL.

Only a server uses them; a tab's bundle leaves this package out, and nothing of it is imported before a database is
opened.
"""
