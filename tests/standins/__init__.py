"""Servers on loopback that behave as PyPI Stats and GitHub do, faults included."""
