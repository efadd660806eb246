"""Parts of gradio's page that our scripts depend on: selectors, and the name of plotly.js."""

from __future__ import annotations

import json
from typing import Any

# For chooser.js, inside one of gradio's components.
SELECTORS = {
    "input": "input[role=combobox]",
    "box": ".wrap",  # around the input and the names chosen
    "token": ".token span",  # a chosen name, where there can be several
    "text": ":is(textarea, input)",  # of a text box
    "fold": "button.label-wrap",  # opens a part of the page; the class "open" if it is
    "legend": "[data-testid=block-info]",  # the label of a group of radio buttons
    "toast": "[data-testid=toast-text]",  # a message at the edge of the page
    "lost": "Connection to the server was lost",  # how such a message begins
}
# Saves the chart with its title, in the colours of the page, which a drawing has not itself.
SAVE_CHART = """() => { const plot = document.querySelector('#chart .js-plotly-plot');
if (!plot) return;
const look = getComputedStyle(plot), ground = look.getPropertyValue('--body-background-fill');
const { title, file } = plot.layout.meta, { font } = plot.layout;
const layout = { ...plot.layout, paper_bgcolor: ground, plot_bgcolor: ground,
  margin: { ...plot.layout.margin, t: 100 }, font: { ...font, color: look.color },
  title: { text: title, x: 0.01, y: 1, yref: 'container', yanchor: 'top', pad: { t: 16 },
    font: { size: 18 } } };
Plotly.downloadImage({ data: plot.data, layout },
  { format: '%s', width: 1200, height: 630, scale: 2, filename: file }); }"""


def with_settings(script: str, **settings: Any) -> str:
    """A script of ``gradio => ...`` as a function without arguments, which gradio expects.

    Args:
        script: the text of the script.
        settings: given to it with the selectors.
    """
    return f"() => (\n{script})({json.dumps(SELECTORS | settings)})"
