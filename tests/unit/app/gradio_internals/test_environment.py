"""Each variable is still one that gradio reads."""

from pathlib import Path

import gradio as gr
import pytest

from app.gradio_internals.environment import DEFAULTS, HIDDEN, prepare

SOURCES = "".join(path.read_text("utf-8") for path in sorted(Path(gr.__file__).parent.glob("*.py")))


@pytest.mark.parametrize("name", [*DEFAULTS, *HIDDEN])
def test_gradio_reads_the_variable(name):
    assert f'"{name}"' in SOURCES


def test_gradio_is_told_of_no_space():
    environment = {"SYSTEM": "spaces", "SPACE_ID": "owner/space", "GRADIO_NUM_PORTS": "100"}
    prepare(environment)
    assert environment == {"SPACE_ID": "owner/space", **DEFAULTS}
