"""The weekly job: fetch, search, judge, publish. Run as ``python -m trainer``."""
