"""The newest bundle that GitHub has and that can be trusted."""
