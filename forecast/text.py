"""The one way out for text that others wrote or that was configured.

Servers, files and settings supply names, reasons and addresses. On their way to a log, an
annotation, a summary, a page, a picture or an error they pass :func:`clean`: it takes passwords
and keys off addresses, and breaks what GitHub's runner or a terminal would run as a command.
"""

from __future__ import annotations

import html
import io
import re
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

LONGEST = 1_200  # characters of a message
LONGEST_LINE = 2_000  # characters of a line in a log
LONGEST_EXCERPT = 80

_MOST_READ = 4_096  # characters of a text that are looked at
_MOST_STACKS = 100  # that are remembered
# Repetitions have bounds, so that no text takes long.
# Words such as most cells of a table: nothing in them to clean, to escape or to hold together.
_WORDS = re.compile(r"(?:[\w,.]{1,40}(?: (?!million|billion)[\w,.]{1,40}){0,20})?")
_PLAIN = re.compile(r"(?:[\w ,.()'=+*-]|[:/](?![:/]))*")  # nothing in it to clean
_ADDRESS = re.compile(r"((?:[A-Za-z][A-Za-z0-9+.-]{0,30}:)?//)([^\s\"'<>“”`]+)")
_USER = re.compile(r"(?<![\w/:])[\w.%+-]{0,64}:(?!//)[^\s@/]{1,200}@(?=[\w\[])")
_KEY = re.compile(
    r"([?&;][\w.-]{0,32}(?:auth|key|pass|pwd|secret|sig|token)[\w.-]{0,32}=)[^\s&;\"'“”]+",
    re.IGNORECASE,
)
# A host with a port; what else has a colon is a password.
_PLACE = re.compile(r"(?:\[[0-9A-Fa-f:.]*\]|[^:]*)(?::(?:\d*|port))?")
_UNIT = re.compile(r"(?<=\d) (?=%|million\b|billion\b)")
_COMMAND = re.compile(r"//\[[0-9A-Fa-f:.]{2,64}\]|:(?=:)|##(?=\[)")  # but no IPv6 address


def clean(text: str, longest: int = LONGEST) -> str:
    """A text as one printable line, without secrets of addresses and without commands.

    Args:
        text: anything.
        longest: characters; a longer text ends with an ellipsis.
    """
    if len(text) <= longest and _PLAIN.fullmatch(text):
        return " ".join(text.split())
    line = defused(" ".join(_beginning(text).split()))
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def defused(line: str) -> str:
    """The same for a line whose blanks count."""
    if not line.isprintable():
        line = "".join(letter if letter.isprintable() else "?" for letter in line)
    line = _ADDRESS.sub(lambda found: found[1] + _without_secrets(found[2]), line)
    line = _KEY.sub(r"\1…", _USER.sub("", line))
    return _COMMAND.sub(lambda found: found[0] + " " * (found[0] in ":##"), line)


def markup(text: str) -> str:
    """A clean text for HTML or SVG; a number and its unit stay on one line."""
    if _WORDS.fullmatch(text):
        return text
    return _UNIT.sub("\N{NO-BREAK SPACE}", html.escape(clean(text)))


def excerpt(text: str | bytes | None) -> str:
    """A quotation for a message: a clean text of at most 80 characters."""
    if isinstance(text, bytes):
        text = text[:_MOST_READ].decode("utf-8", "replace")
    quoted = clean(text or "", LONGEST_EXCERPT)
    return f"“{quoted}”" if quoted else "nothing"


def _beginning(text: str) -> str:
    """As much of a text as is looked at; a word that is cut off could be half a password."""
    if len(text) <= _MOST_READ:
        return text
    return re.sub(r"\S+$", "", text[:_MOST_READ]) or text[:_MOST_READ]


def _without_secrets(rest: str) -> str:
    """What follows ``scheme://``, without user, password, query and fragment."""
    if (bare := rest.rstrip(":")) != rest:  # the sentence's own: "http://host: expected"
        return _without_secrets(bare) + rest[len(bare) :]
    authority = _authority(rest)
    if "@" in authority:
        rest = authority.rpartition("@")[2] + rest[len(authority) :]
    if not _PLACE.fullmatch(_authority(rest)):
        rest = rest.rpartition("@")[2]
    if not _PLACE.fullmatch(_authority(rest)):
        return "…"
    found = re.search("[?#]", rest)
    return f"{rest[: found.end()]}…" if found else rest


def _authority(rest: str) -> str:
    return re.split("[/?#]", rest, maxsplit=1)[0]


class CleanStream(io.TextIOBase):
    """A text stream whose lines are clean, and in which no stack is written twice.

    Each thread's lines are put together by themselves.

    Args:
        stream: takes the lines.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self._own = threading.local()

    @property
    def encoding(self) -> str:  # type: ignore[override] # as of any text stream
        """That of the stream."""
        return self._stream.encoding

    def fileno(self) -> int:
        """That of the stream."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Write each line as soon as it is complete; a stack, when its exception is there."""
        *lines, self._own.rest = (getattr(self._own, "rest", "") + text).split("\n")
        for line in lines:
            self._take(line)
        return len(text)

    def flush(self) -> None:
        """Write what is left."""
        self._end_stack()
        rest, self._own.rest = getattr(self._own, "rest", ""), ""
        with self._lock:
            self._stream.write(_line(rest))
            self._stream.flush()

    def _take(self, line: str) -> None:
        stack = getattr(self._own, "stack", None)
        if line.startswith("Traceback (most recent call last)"):
            self._end_stack()
            self._own.stack = [line]
        elif stack and line.startswith(" "):
            stack.append(line)
        else:
            self._end_stack()
            self._put(line)

    def _end_stack(self) -> None:
        stack, self._own.stack = getattr(self._own, "stack", None), None
        if not stack:
            return
        whole = "\n".join(stack)
        with self._lock:
            known = whole in self._seen
            if len(self._seen) == _MOST_STACKS:
                self._seen.clear()
            self._seen.add(whole)
        for line in ["The same stack as before:"] if known else stack:
            self._put(line)

    def _put(self, line: str) -> None:
        with self._lock:
            self._stream.write(_line(line) + "\n")


def _line(text: str) -> str:
    line = defused(_beginning(text).expandtabs(4))
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"
