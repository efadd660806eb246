"""The whole thing, run through long times with a false clock."""
