"""GitHub Actions on this machine: runs a workflow's own steps, as far as ours use its language."""
