"""The tutorial: steps whose goal is a predicate over what really happened in the engine, and their progress.

`course` knows the steps, `writing` reads their files, `judge` holds a session against a goal, `stage` begins a step and
does what a solution says, `proving` proves every step, `pages` and `watching` show them.
"""
