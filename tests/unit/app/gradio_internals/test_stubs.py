"""gradio's own writer of stubs finds nothing to write."""

import inspect
from pathlib import Path

from gradio import component_meta
from gradio.components import Textbox

from app.gradio_internals.stubs import WRITER, without_stubs


def write(monkeypatch):
    """The files that gradio reads as it writes the stub of a component."""
    read = []
    monkeypatch.setattr(Path, "read_text", lambda path, **_: read.append(path) or "class None_: 1")
    monkeypatch.setattr(component_meta, "extract_class_source_code", lambda *_: ("x", 1))
    monkeypatch.setattr(component_meta, "create_pyi", lambda *_: "x")
    monkeypatch.setattr(Path, "write_text", lambda path, _text: None)
    component_meta.create_or_modify_pyi(Textbox, "Textbox", [])
    return read


def test_inspect_getfile_is_how_gradio_finds_a_component_s_source(monkeypatch):
    assert component_meta.__name__ == WRITER
    assert write(monkeypatch) != []
    with without_stubs():
        assert write(monkeypatch) == []


def test_everybody_else_finds_source_files():
    before = inspect.getfile
    with without_stubs():
        assert inspect.getfile(Textbox) == before(Textbox)
    assert inspect.getfile is before


def test_component_classes_are_given_to_the_writer_of_stubs():
    assert "create_or_modify_pyi" in component_meta.ComponentMeta.__new__.__code__.co_names
