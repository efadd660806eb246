"""Both programs over a long time, with a simulated clock."""
