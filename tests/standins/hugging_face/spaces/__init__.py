"""A stand-in for the package `spaces`, which a Space's builder installs: what version 0.51.3 does.

On free hardware the first launch reports to the Space's device API, if a function was declared;
without a report the Space is ended. The real package was run in its place once.
"""

from __future__ import annotations

import os
import urllib.request
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")

_declared: list[Callable[..., Any]] = []


def GPU(task: F) -> F:  # noqa: N802 - the real name
    """Declare a function that needs a GPU."""
    _declared.append(task)
    return task


def _report_at_first_launch(url: str) -> None:
    import gradio as gr  # noqa: PLC0415 - as late as the real package

    launch = gr.Blocks.launch

    def launch_once(self: gr.Blocks, *arguments: Any, **options: Any) -> Any:
        gr.Blocks.launch = launch  # type: ignore[method-assign]
        if _declared:
            report = urllib.request.Request(f"{url}/startup-report", b"", method="POST")
            urllib.request.urlopen(report, timeout=5).close()
        return launch(self, *arguments, **options)

    gr.Blocks.launch = launch_once  # type: ignore[method-assign]


if os.environ.get("SPACES_ZERO_GPU"):
    _report_at_first_launch(os.environ["SPACES_ZERO_DEVICE_API_URL"])
