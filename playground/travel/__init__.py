"""Time travel: commands, timelines with checkpoints, branches, scenarios and links."""
