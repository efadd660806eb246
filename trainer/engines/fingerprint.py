"""A digest of the source code that a model depends on."""

from __future__ import annotations

import hashlib
from pathlib import Path


def source_digest() -> str:
    """SHA-256 of the modules of ``forecast`` and ``trainer`` and of the constants, with names."""
    root = Path(__file__).resolve().parents[2]
    found = hashlib.sha256()
    patterns = ("forecast/**/*.py", "forecast/**/*.json", "trainer/**/*.py")
    for path in sorted(path for pattern in patterns for path in root.glob(pattern)):
        found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()
