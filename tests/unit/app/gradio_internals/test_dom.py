"""The selectors and classes that scripts and page.css rely on are in gradio's own front end."""

from functools import cache
from pathlib import Path

import gradio as gr
import pytest

from app.gradio_internals.dom import SAVE_CHART, SELECTORS, with_settings

ASSETS = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
STATIC = Path(__file__).parents[4] / "app" / "static"


@cache
def dropdown():
    """The script of gradio's dropdowns."""
    (found,) = (text for text in scripts("Index-*.js") if 'role="combobox"' in text)
    return found


def scripts(pattern):
    return [path.read_text("utf-8") for path in sorted(ASSETS.glob(pattern))]


@pytest.mark.parametrize(
    ("name", "selector", "markup"),
    [
        ("input", "input[role=combobox]", '<input role="combobox"'),
        ("box", ".wrap", '<div class="wrap svelte-'),
        ("token", ".token span", '<div class="token svelte-'),
    ],
)
def test_gradio_s_dropdown_has(name, selector, markup):
    assert SELECTORS[name] == selector
    assert markup in dropdown()


def test_gradio_tells_of_a_lost_connection_in_a_message():
    assert SELECTORS["toast"] == "[data-testid=toast-text]"
    assert any('data-testid="toast-text"' in text for text in scripts("*.js"))
    assert any(f"`{SELECTORS['lost']}" in text for text in scripts("Blocks-*.js"))


def test_every_selector_is_in_use():
    used = "".join((STATIC / name).read_text("utf-8") for name in ("chooser.js", "page.js"))
    assert all(f"gradio.{name}" in used for name in SELECTORS)


def test_the_list_that_page_css_hides_is_gradio_s_own():
    assert ".searched .options" in (STATIC / "page.css").read_text("utf-8")
    assert 'class="options svelte-' in dropdown()


@pytest.mark.parametrize(
    "markup", ["`gradio-container", "main fillable", '<div class="divider svelte-', "prose"]
)
def test_gradio_has_what_page_css_lays_out(markup):
    names = markup.strip("`<").removeprefix('div class="').split()
    css = (STATIC / "page.css").read_text("utf-8")
    assert all(f".{name}" in css for name in names if not name.startswith("svelte-"))
    assert any(markup in text for text in scripts("*.js"))


def test_gradio_s_announcements_are_in_an_element_that_page_css_hides():
    assert '.sr-only[role="status"]' in (STATIC / "page.css").read_text("utf-8")
    assert any('class="sr-only" role="status"' in text for text in scripts("statustracker-*.js"))


def test_gradio_gives_plotly_to_the_page():
    assert "Plotly.downloadImage" in SAVE_CHART % "png"
    assert "js-plotly-plot" in SAVE_CHART % "png"
    (script,) = scripts("PlotlyPlot-*.js")
    assert "window.Plotly=" in script
    assert "js-plotly-plot" in script


def test_a_script_is_called_with_the_selectors():
    made = with_settings("(gradio) => 1\n")
    assert made.startswith("() => (\n(gradio) => 1\n)({")
    assert '"box": ".wrap"' in made
