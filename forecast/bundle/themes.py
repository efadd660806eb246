"""A picture that follows the reader's setting, made a light or a dark one."""

from __future__ import annotations

import re
from typing import Literal, get_args

Theme = Literal["light", "dark"]
THEMES: dict[str, Theme] = {theme: theme for theme in get_args(Theme)}

# The rules for readers with a dark setting, as `forecast.document.pictures` writes them.
DARK = re.compile(rb"@media \(prefers-color-scheme: dark\) \{\n(.*?)\n\}\n", re.DOTALL)


def themed(svg: bytes, theme: Theme) -> bytes:
    """The picture with the rules of one theme; unchanged if it has no others."""
    return DARK.sub(rb"\1\n" if theme == "dark" else b"", svg)
