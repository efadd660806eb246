"""gradio's first HTML has what an answer is put into and what is taken out."""

import re
from pathlib import Path

import gradio as gr
import pytest

from app.gradio_internals.first_html import HEAD, MOUNT, STYLES, drawing_library, with_answer

FRONT_END = Path(gr.__file__).parent / "templates" / "frontend"
PAGE = (FRONT_END / "index.html").read_text("utf-8")


@pytest.mark.parametrize("pattern", [HEAD, MOUNT, STYLES])
def test_gradio_s_page_has_one_place_for_it(pattern):
    assert len(pattern.findall(PAGE)) == 1


def test_gradio_s_own_cards_are_gone():
    assert PAGE.count("og:title") == 2
    made = with_answer(PAGE, '<meta property="og:title" content="ours">', "")
    assert re.findall(r"og:\w+|twitter:\w+", made) == ["og:title"]


def test_the_answer_comes_before_gradio_and_no_stylesheet_holds_it_back():
    made = with_answer(PAGE, "<title>one</title>", "<main>two</main>")
    assert made.index("<title>one") < made.index("</head>") < made.index("<main>two")
    assert made.index("<main>two") < made.index("<gradio-app")
    [styles] = re.findall(r"<link[^>]*stylesheet[^>]*>", made)
    assert 'media="print"' in styles


def test_nothing_of_the_answer_is_taken_for_a_pattern():
    assert r"\1 \g<0>" in with_answer(PAGE, r"<title>\1 \g<0></title>", "")


def test_gradio_has_plotly_js_in_plotlyplot():
    (path,) = drawing_library()
    assert "window.Plotly=" in (FRONT_END / path).read_text("utf-8")
