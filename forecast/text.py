"""Text files as people save them, on Windows too."""

from __future__ import annotations

import codecs

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


def decode(data: bytes) -> str:
    r"""The text of a file in UTF-8, or in UTF-16 with its mark; with ``\n`` line ends.

    Raises:
        ValueError: it is in neither; the message says on which line.
    """
    mark = next((mark for mark in _MARKS if data.startswith(mark)), b"")
    try:
        text = data[len(mark) :].decode(_MARKS.get(mark, "utf-8"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, len(mark) + error.start) + 1
        raise ValueError(f"line {line}: is not text in UTF-8: save the file as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
