"""The file with plotly.js is where the preload looks for it."""

from pathlib import Path

import gradio as gr

from app.gradio_internals.preload import drawing_library


def test_gradio_has_plotly_js_in_plotlyplot():
    (path,) = drawing_library()
    file = Path(gr.__file__).parent / "templates" / "frontend" / path
    assert "window.Plotly=" in file.read_text("utf-8")
