"""Code for a job in every official language: one generator over ``spec/sdks.json``."""
