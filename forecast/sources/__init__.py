"""Where download counts come from."""
