"""The weekly job: fetch, train, join into a bundle. Run as ``python -m trainer``."""
