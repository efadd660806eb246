"""GitHub Actions on this machine: runs a workflow, with the features that ours use."""
