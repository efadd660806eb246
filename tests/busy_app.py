"""The app, except that its queue has two places: ``python -m tests.busy_app``."""

import runpy

from app import page

if __name__ == "__main__":
    page.MAX_QUEUED = 2
    runpy.run_path("app/app.py", run_name="__main__")
