"""Environment variables that gradio reads when it is imported and when it serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

DEFAULTS = {
    "GRADIO_ANALYTICS_ENABLED": "False",  # else the server calls gradio's makers when it starts
    # After each call gradio summarises the last 10,000 in a table that is not used here.
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",
    "GRADIO_ANALYTICS_MAX_EVENTS": "100",
    "GRADIO_NUM_PORTS": "1",
}
# With SYSTEM=spaces gradio listens on a second port, 7887, for whoever wants to read files and run
# code there, and its page asks huggingface.co and Google Fonts. The other one does so elsewhere.
HIDDEN = ("SYSTEM", "GRADIO_WATCH_DIRS")


def prepare(environment: MutableMapping[str, str]) -> None:
    """Set what gradio should read, and take away what it should not."""
    environment.update(DEFAULTS)
    for name in HIDDEN:
        environment.pop(name, None)
