"""The playground: one neutral app, its pages, and the hosts that serve it."""
