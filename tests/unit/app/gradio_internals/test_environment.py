"""Each variable is still one that gradio reads."""

from pathlib import Path

import gradio as gr
import pytest

from app.gradio_internals.environment import DEFAULTS

SOURCES = "".join(path.read_text("utf-8") for path in sorted(Path(gr.__file__).parent.glob("*.py")))


@pytest.mark.parametrize("name", DEFAULTS)
def test_gradio_reads_the_variable(name):
    assert f'"{name}"' in SOURCES
