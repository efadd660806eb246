"""``python -m tests.faults`` generates the README."""

from tests.faults.readme import PATH, render

PATH.write_text(render(), encoding="utf-8")
