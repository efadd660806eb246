"""Keeps gradio from writing type stubs, which halves the time it takes to load."""

from __future__ import annotations

import inspect
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITER = "gradio.component_meta"  # the module that writes the stubs


@contextmanager
def without_stubs() -> Iterator[None]:
    """Let gradio find no source file of its components while it loads and builds a page.

    For each component it writes a type stub into its own folder, or compares the one that is
    there with a new one. It skips components that have no source file.
    """
    getfile = inspect.getfile

    def refuse(thing: Any) -> str:
        if sys._getframe(1).f_globals.get("__name__") == WRITER:  # noqa: SLF001 - who calls
            raise OSError("no stubs are wanted")
        return getfile(thing)

    inspect.getfile = refuse  # type: ignore[assignment]  # it takes whatever getfile takes
    try:
        yield
    finally:
        inspect.getfile = getfile
