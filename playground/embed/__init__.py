"""Widgets for other sites: what they show, what runs for them, and how documents get them."""
