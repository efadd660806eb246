"""Parts of gradio's page that our scripts depend on: selectors, and the name of plotly.js."""

from __future__ import annotations

import json

# For chooser.js, inside one of gradio's dropdowns.
SELECTORS = {
    "input": "input[role=combobox]",
    "box": ".wrap",  # around the input and the names chosen
    "token": ".token span",  # a chosen name, where there can be several
}
# The figure's own button needs a mouse; the page's two are for keyboards as well.
SAVE_CHART = """() => { const plot = document.querySelector('#chart .js-plotly-plot');
if (plot) Plotly.downloadImage(plot, {format: '%s', width: 1200, height: 600, scale: 2,
filename: 'forecast'}); }"""


def with_selectors(script: str) -> str:
    """A script of ``gradio => ...`` as a function without arguments, which gradio expects."""
    return f"() => (\n{script})({json.dumps(SELECTORS)})"
