"""Faults, the parts they affect, and the expected outcomes: a table and its tests."""
