"""The hosts: each hands requests to the one application and wakes it when something is due."""
