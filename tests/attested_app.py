"""The app, except that it trusts the stand-in's Sigstore and checks five times a second.

``python -m tests.attested_app trusted_root.json``. The keys are passed in from inside the process:
no setting of the app names other keys, so no setting can weaken the check.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from app.data import store
from forecast.github import provenance

LOOK_EVERY = 0.2  # seconds


def main() -> None:
    """Start it."""
    root = Path(sys.argv[1])
    provenance.sigstore_root = lambda: root
    store.Store.__init__.__kwdefaults__["every"] = LOOK_EVERY
    runpy.run_path("app/app.py", run_name="__main__")


if __name__ == "__main__":
    main()
