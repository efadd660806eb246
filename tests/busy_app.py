"""The app with room for two drawings and a queue of two: ``python tests/busy_app.py``."""

import runpy

from app import page

if __name__ == "__main__":
    page.MAX_DRAWING = page.MAX_QUEUED = 2
    runpy.run_path("app/app.py", run_name="__main__")
