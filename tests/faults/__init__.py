"""What goes wrong, in which part, and what is to come of it: a table and its tests."""
