"""Servers on loopback that behave like the real ones, faults included."""
