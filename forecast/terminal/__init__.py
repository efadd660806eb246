"""A forecast in the terminal: ``python -m forecast``."""
