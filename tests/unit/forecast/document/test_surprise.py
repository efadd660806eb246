"""The picture of a surprise: what it shows, for any numbers."""

import datetime as dt
import re
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest

from forecast.bands import LARGEST_FORECAST
from forecast.bundle.tables import HISTORY
from forecast.document.pictures import EDGE, WIDTH
from forecast.document.surprise import BASE, BOLD, HEIGHT, SMALL, TOP, draw, surprise_picture
from forecast.record.weeks import Week, all_weeks
from tests.bundles import LAST_DAY, files_of, with_files
from tests.unit.forecast.record.records import FAR_ABOVE, LAST_WEEK, bundle_with, total_row

SVG = "{http://www.w3.org/2000/svg}"
USUAL: dict[int, float] = {at: 900.0 + 10 * at for at in range(-8, 4) if at}
BAND = (970, 569, 1_420)
HIGH = (2e9, 1.9e9, 2.2e9)


def week(downloads, mean, lower, upper):
    """A week of Flask's, from 15 November on."""
    start = dt.date(2026, 11, 15)
    return Week("flask", start, start, downloads, mean, lower, upper, 2.0)


# A week, and the weeks around it.
CASES: dict[str, tuple[Week, dict[int, float]]] = {
    "above": (week(3_160, *BAND), USUAL),
    "below": (week(120, *BAND), USUAL),
    "just above": (week(1_421, *BAND), USUAL),
    "just below": (week(568, *BAND), USUAL),
    "first": (week(3_160, *BAND), {1: 3_300, 2: 2_000, 3: 950}),
    "last": (week(3_160, *BAND), {at: USUAL[at] for at in range(-8, 0)}),
    "alone": (week(3_160, *BAND), {}),
    "one before": (week(998_000, 5e5, 4e5, 9e5), {-1: 2e6}),
    "after a fall": (week(998, 500, 400, 700), {-2: 2_500, -1: 2_000}),
    "none": (week(0, *BAND), USUAL | {1: 0}),
    "nothing at all": (week(0, 0.4, 0.2, 1.5), {-1: 0}),
    "no width": (week(7, 5, 5, 5), dict.fromkeys(USUAL, 5.0)),
    "huge": (week(1e9, *BAND), USUAL),
    "huge below": (week(1e9, *HIGH), dict.fromkeys(USUAL, 2e9)),
    "all of PyPI": (week(7e10, 2e10, 1.3e10, 6.9e10), dict.fromkeys(USUAL, 6e10)),
    "the largest": (week(9e13, 1.5e14, 1.3e14, LARGEST_FORECAST), dict.fromkeys(USUAL, 1e13)),
    "six digits": (week(220_000, 970_000, 569_000, 999_000), dict.fromkeys(USUAL, 9e5)),
}


def drawn(case):
    each, others = CASES[case]
    return ET.fromstring(draw(each, {0: each.downloads} | others))


def rects(root, kind):
    """Left, right, top and bottom of the rectangles of a class."""
    found = [each for each in root.iter(f"{SVG}rect") if each.get("class") == kind]
    sizes = [[float(each.get(key)) for key in ("x", "width", "y", "height")] for each in found]
    return [(x, x + width, y, y + height) for x, width, y, height in sizes]


def texts(root):
    """The words, with left, right, top and bottom as on a phone, where the type is largest."""
    found = []
    for each in root.iter(f"{SVG}text"):
        words, small = "".join(each.itertext()), each.get("class") == "small"
        width = len(words) * (SMALL if small else BOLD)
        share = {"middle": 0.5, "end": 1.0}.get(each.get("text-anchor"), 0.0)
        left, y = float(each.get("x")) - share * width, float(each.get("y"))
        found.append((words, (left, left + width, y - (11 if small else 12), y + 3)))
    return found


def apart(one, other):
    return one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]


@pytest.mark.parametrize("case", CASES)
def test_the_bar_ends_outside_the_box(case):
    root, each = drawn(case), CASES[case][0]
    [bar], [box] = rects(root, "band came"), rects(root, "band b95")
    assert box[0] < bar[0] < bar[1] < box[1]
    if each.above:
        assert bar[2] < box[2]
    else:
        assert bar[2] > box[3]
    [mean] = [each for each in root.iter(f"{SVG}path") if each.get("class") == "ahead"]
    assert box[2] <= float(re.match(r"M\S+ (\S+)H", mean.get("d"))[1]) <= box[3]


@pytest.mark.parametrize("case", CASES)
def test_all_lies_within_the_picture(case):
    root = drawn(case)
    [bar], [box] = rects(root, "band came"), rects(root, "band b95")
    others = rects(root, "small week")
    assert len(others) == len(CASES[case][1])
    for left, right, top, _ in (bar, box, *others):
        assert EDGE <= left < right <= WIDTH - EDGE
        assert TOP <= top <= BASE
    assert min(each[2] for each in (bar, box, *others)) == TOP  # the whole height is used
    for words, (left, right, top, bottom) in texts(root):
        assert 4 <= left < right <= WIDTH - 4, words
        assert 4 <= top < bottom <= HEIGHT - 4, words


@pytest.mark.parametrize("case", CASES)
def test_no_text_lies_on_another_or_on_a_bar(case):
    root = drawn(case)
    found = texts(root)
    assert all(apart(one, other) for (_, one), (_, other) in combinations(found, 2)), found
    things = [*rects(root, "small week"), *rects(root, "band came"), *rects(root, "band b95")]
    for words, place in found[:2]:  # what stands below the axis is another thing
        assert all(apart(place, each) for each in things), words


def test_the_number_stands_above_its_own_bar_if_it_can():
    for case, number in {
        "above": "3,160",
        "below": "120",
        "none": "0",
        "huge below": "1.0B",
    }.items():
        root = drawn(case)
        [(_, _, top, _)] = rects(root, "band came")
        assert texts(root)[0][0] == number
        assert float(root.find(f"{SVG}text").get("y")) == pytest.approx(top - 6, abs=0.1)


def test_the_words():
    root = drawn("above")
    told = ["3,160", "expected 569 to 1,420", "15 Nov 2026", "20 Sep 2026"]
    assert [words for words, _ in texts(root)] == told
    assert [words for words, _ in texts(drawn("first"))] == told[:3]
    assert texts(drawn("no width"))[1][0] == "expected 5"
    assert texts(drawn("all of PyPI"))[1][0] == "expected 13 to 69\N{NO-BREAK SPACE}billion"
    assert [words for words, _ in texts(drawn("the largest"))][:2] == [
        "90,000\N{NO-BREAK SPACE}billion",
        "expected 130T to 180T",
    ]
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == (
        "Bars of the downloads by week: 3,160 in the week from 15 November 2026, where about 970 "
        "were expected (95 %: 569 to 1,420); 820 to 930 in the weeks around it, as far as counted."
    ).replace(" %", "\N{NO-BREAK SPACE}%")
    assert (
        drawn("alone")
        .find(f"{SVG}title")
        .text.endswith("were expected (95 %: 569 to 1,420).".replace(" %", "\N{NO-BREAK SPACE}%"))
    )


@pytest.fixture(scope="module")
def recorded():
    """A bundle whose last week had three times as many downloads as those before."""
    return bundle_with(totals=[total_row(**FAR_ABOVE)])


def without(bundle, day):
    """The bundle without the count of one day."""
    rows = files_of(bundle)[HISTORY].splitlines(keepends=True)
    kept = [row for row in rows if f",{day}," not in row.decode()]
    assert len(kept) == len(rows) - 1
    return with_files(bundle, history__csv=b"".join(kept))


def test_the_weeks_are_those_of_the_surprise(recorded):
    [found] = all_weeks(recorded, ())
    root = ET.fromstring(surprise_picture(recorded, found))
    bars = rects(root, "small week")
    assert len(bars) == 8
    counts = recorded.history("flask")
    first = counts[counts.index >= str(LAST_WEEK - dt.timedelta(days=56))][:7].sum()
    assert (BASE - bars[0][2]) / (BASE - TOP) == pytest.approx(first / 20_000, abs=1e-4)


def test_a_week_around_it_that_is_not_whole_is_left_out(recorded):
    [found] = all_weeks(recorded, ())
    fewer = without(recorded, LAST_WEEK - dt.timedelta(days=15))
    assert len(rects(ET.fromstring(surprise_picture(fewer, found)), "small week")) == 7


@pytest.mark.parametrize("day", range(7))
def test_no_picture_if_a_day_of_the_week_is_missing(recorded, day):
    [found] = all_weeks(recorded, ())
    assert surprise_picture(without(recorded, LAST_WEEK + dt.timedelta(days=day)), found) == ""


def test_no_picture_of_what_was_never_counted(recorded):
    [found] = all_weeks(recorded, ())
    gone = Week("gone", *list(vars(found).values())[1:])
    assert surprise_picture(recorded, gone) == ""
    later = Week("flask", LAST_DAY + dt.timedelta(days=1), *list(vars(found).values())[2:])
    assert surprise_picture(recorded, later) == ""
