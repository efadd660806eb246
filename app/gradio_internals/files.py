"""How gradio recognises a file in the JSON of a call."""

from __future__ import annotations

from typing import Any

MARKER = "meta"  # its key for {"_type": "gradio.FileData"}


def is_file(value: Any) -> bool:
    """Whether gradio may take a JSON value for a file, which it would copy or fetch."""
    return isinstance(value, dict) and isinstance(value.get(MARKER), dict)
