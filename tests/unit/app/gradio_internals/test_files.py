"""gradio marks a file in JSON as ``is_file`` expects."""

import pytest
from gradio.data_classes import FileData
from gradio_client.utils import is_file_obj_with_meta

from app.gradio_internals.files import MARKER, is_file


def test_gradio_marks_a_file_with_meta():
    marked = FileData(path="x").model_dump()
    assert is_file_obj_with_meta(marked)
    assert is_file(marked)
    del marked[MARKER]
    assert not is_file_obj_with_meta(marked)


@pytest.mark.parametrize("value", [{}, {"meta": "text"}, [], None, "meta"])
def test_other_json_is_no_file(value):
    assert not is_file(value)
