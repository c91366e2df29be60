"""The stores that outlive the process."""
