"""``python -m tests.faults`` writes the README anew."""

from tests.faults.readme import PATH, render

PATH.write_text(render(), encoding="utf-8")
