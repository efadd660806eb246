"""What leaves the programs: no password, no command, one line of bounded length."""

from __future__ import annotations

import io
import re
import threading
import time
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.text import LONGEST, LONGEST_LINE, CleanStream, clean, excerpt, markup

SECRET = "pa55word"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("  a\tb\n c  ", "a b c"),
        ("a\x00b\x1b[31mc\u202ed", "a?b?[31mc?d"),
        ("::error::x", ": :error: :x"),
        (":::x", ": : :x"),
        ("a ##[add-mask][]", "a ## [add-mask][]"),
        ("###[x] ##[[y]", "### [x] ## [[y]"),
        ("a\r\n::stop-commands::t", "a : :stop-commands: :t"),
        ("https://pypistats.org/api tells", "https://pypistats.org/api tells"),
        ("at http://host:81/a, or 12:30", "at http://host:81/a, or 12:30"),
        ("expected tcp://host:port or tls://h:8", "expected tcp://host:port or tls://h:8"),
        ("--cluster tcp://127.0.0.1:8786: expected", "--cluster tcp://127.0.0.1:8786: expected"),
        ("http://u:pa55word@host/api: expected", "http://host/api: expected"),
        ("http://u:p1#pa55word@[::1]:8pa55word", "http://…"),
        ("http://user:pa55word@host/api is", "http://host/api is"),
        ("http://pa55word@host:8/api", "http://host:8/api"),
        ("http://u:p@ss:pa55word@host/", "http://host/"),
        ("http://u:pa55word@host/x@y", "http://host/x@y"),
        ("http://u:pa55/word@host/api", "http://host/api"),
        ("http://u:pa55?word@host/api", "http://host/api"),
        ("http://u:pa55word", "http://…"),
        ("HTTPS://u:pa55word@[2001:db8::1]:8/a", "HTTPS://[2001:db8::1]:8/a"),
        ("http://[2001:db8:1:2:3:4:5:6]/a", "http://[2001:db8:1:2:3:4:5:6]/a"),
        ("http://h/api?key=pa55word is", "http://h/api?… is"),
        ("http://h/api#pa55word", "http://h/api#…"),
        ("h/api?a=1&API_KEY=pa55word&b=2", "h/api?a=1&API_KEY=…&b=2"),
        ("user:pa55word@host/api", "host/api"),
        ("to //u:pa55word@host/x", "to //host/x"),
        (
            "SANs do not match https://github.com/o/r/.github/workflows/u.yml@refs/heads/main",
            "SANs do not match https://github.com/o/r/.github/workflows/u.yml@refs/heads/main",
        ),
        ("write to someone@example.org: now", "write to someone@example.org: now"),
        ("naïve ∑ 📈", "naïve ∑ 📈"),
    ],
)
def test_a_clean_text(text, expected):
    assert clean(text) == expected
    assert clean(clean(text)) == expected


def test_a_text_has_a_bound():
    assert clean("a" * (LONGEST + 1)) == "a" * (LONGEST - 1) + "…"
    assert clean("a b", 3) == "a b"
    assert clean("a b c", 3) == "a …"
    assert len(clean("é\n" * 10**6)) == LONGEST


def test_half_a_password_is_not_shown():
    for before in range(4_080, 4_090, 2):
        text = "x" * before + " http://u:12345678@host/"
        assert "123" not in clean(text, longest=5_000)
    assert SECRET[:4] not in excerpt("x" * 60 + f" http://user:{SECRET}@host/")


@given(st.text())
def test_any_text_becomes_a_safe_line(text):
    for line in (clean(text), clean(f"::{text}##[{text}"), excerpt(text), excerpt(text.encode())):
        assert line.isprintable()
        assert len(line) <= LONGEST
        assert "::" not in re.sub(r"//\[[0-9a-fA-F:.]+\]", "", line)
        assert "##[" not in line


@given(
    st.from_regex(r"[a-z]{1,9}", fullmatch=True),
    st.text(
        st.characters(exclude_categories=["C", "Z"], exclude_characters="\"'<>“”`"), max_size=9
    ),
)
def test_a_password_is_taken_off_whatever_is_in_it(user, odd):
    for host in ("host", "host:80", "[::1]:80"):
        shown = clean(f"asked http://{user}:Q{odd}{SECRET}{odd}@{host}/api and")
        assert SECRET not in shown
        assert shown.endswith(" and")


@pytest.mark.parametrize("part", ["a", "a.", "a:", "?key", "a@", "://", "//a:", "[", "# "])
def test_no_text_takes_long(part):
    begun = time.process_time()
    clean(part * 10**5)
    assert time.process_time() - begun < 1.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "nothing"),
        (" \n", "nothing"),
        (b"a\xff\tb", "“a\ufffd b”"),
        ("a\x1b[0m", "“a?[0m”"),
        ("x" * 80, "“" + "x" * 80 + "”"),
        ("x" * 81, "“" + "x" * 79 + "…”"),
    ],
)
def test_an_excerpt_fits_on_a_line(text, expected):
    assert excerpt(text) == expected
    assert len(excerpt("x" * 10**6)) == 82


def test_markup_is_escaped():
    assert markup("<a href='x'>::&") == "&lt;a href=&#x27;x&#x27;&gt;: :&amp;"


# A stream


@pytest.fixture
def written():
    return io.StringIO()


def test_lines_of_a_stream_are_clean(written):
    stream = CleanStream(written)
    print("  ::error::a\n##[x]\x1b", "http://u:pa55word@h/?k=1", file=stream)
    stream.write("b" * 10**5 + "\n")
    stream.write("half ")
    assert written.getvalue().splitlines() == [
        "  : :error: :a",
        "## [x]? http://h/?…",
        "b" * (LONGEST_LINE - 1) + "…",
    ]
    stream.write("a line")
    stream.flush()
    assert written.getvalue().endswith("…\nhalf a line")
    assert not stream.isatty()


def failing(text):
    raise ValueError(text)


def raised(stream, text):
    try:
        failing(text)
    except ValueError:
        traceback.print_exc(file=stream)


def test_a_stack_is_written_once(written):
    stream = CleanStream(written)
    for number in range(200):
        raised(stream, f"number {number}")
    lines = written.getvalue().splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert sum("raise ValueError" in line for line in lines) == 1
    assert lines[-2:] == ["The same stack as before:", "ValueError: number 199"]
    assert len(lines) < 410


def test_a_stack_of_a_chain_or_of_a_group_is_whole(written):
    stream = CleanStream(written)
    try:
        try:
            failing("inner")
        except ValueError as error:
            raise ExceptionGroup("both", [ValueError("outer")]) from error
    except ExceptionGroup:
        expected = traceback.format_exc()
        traceback.print_exc(file=stream)
    stream.flush()
    assert written.getvalue() == expected


def test_threads_do_not_mix_their_lines(written):
    stream = CleanStream(written)
    ready = threading.Barrier(4)

    def write(name):
        ready.wait()
        for _ in range(200):
            for part in (name, name, "\n"):
                stream.write(part)
        raised(stream, name)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = written.getvalue().splitlines()
    assert all(lines.count(2 * name) == 200 for name in "abcd")
    assert sum(line.startswith("ValueError: ") for line in lines) == 4
