"""The chart as it is painted: contrast, ticks, words, and what is saved of it."""

from __future__ import annotations

import datetime as dt
import html
import io
import re
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from tests.appserver import NOW
from tests.browser.conftest import OBSERVED, TODAY, TRAINED, opened
from tests.browser.warm import WarmAppServer
from tests.bundles import files_of, make_bundle, replace_folder

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
BOTH = [{"viewport": DESKTOP, "scheme": "light"}, {"viewport": PHONE, "scheme": "dark"}]
MODES = ("Daily", "7-day mean", "Weekly")
HALO = 3  # pixels of the ground around each word
ALL = "?package=flask&compare=requests,pytorch,fastapi,tensorflow"
LONG = "?package=django&range=all"
IN_FRAME = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"

# Where values of the figure are painted, in pixels of the page.
PLACES = """points => {
const plot = document.querySelector('#chart .js-plotly-plot'), {xaxis, yaxis} = plot._fullLayout;
const {left, top} = plot.getBoundingClientRect();
return points.map(([day, value]) =>
  [left + xaxis._offset + xaxis.d2p(day), top + yaxis._offset + yaxis.d2p(value)]); }"""


BOXES = """all => all.map(each => {
const { x, y, width, height } = each.getBoundingClientRect();
return [each.textContent, { x, y, width, height }]; })"""


def painted(visit):
    """The colours of the page in sight, as painted, shape (height, width, 3)."""
    png = visit.page.screenshot(animations="disabled")
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=float)


def pixels(picture, box):
    """The colours within a box."""
    left, top = round(box["x"]), round(box["y"])
    right, bottom = round(box["x"] + box["width"]), round(box["y"] + box["height"])
    assert 0 <= left < right <= picture.shape[1]
    assert 0 <= top < bottom <= picture.shape[0]
    return picture[top:bottom, left:right]


def boxes(locator):
    """The texts and the boxes of all elements."""
    return [tuple(each) for each in locator.evaluate_all(BOXES)]


def luminance(colours):
    parts = colours / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def contrast(painted, ground=None):
    """Of the colour that stands out most with the most frequent one, or with a given one."""
    flat = painted.reshape(-1, 3)
    if ground is None:
        colours, counts = np.unique(flat, axis=0, return_counts=True)
        ground = colours[counts.argmax()]
    base, all_of = float(luminance(ground)) + 0.05, luminance(flat) + 0.05
    return float((np.maximum(all_of, base) / np.minimum(all_of, base)).max())


def around(x, y, size=3):
    return {"x": x - size, "y": y - size, "width": 2 * size + 1, "height": 2 * size + 1}


def still(visit):
    """Wait until all is drawn and painted, and the chart is in sight."""
    visit.wait_for_newest()
    visit.page.locator("#chart").scroll_into_view_if_needed()
    visit.page.evaluate(IN_FRAME)


def point_at(visit, x, y):
    """The label of a place; the mouse comes from outside, where there is none."""
    label = visit.page.locator("#chart .hoverlayer .legend")
    visit.page.mouse.move(0, 0)
    label.wait_for(state="detached")
    visit.page.mouse.move(x, y)
    label.locator(".legendtext").first.wait_for()
    visit.page.evaluate(IN_FRAME)
    return label


def show(visit, mode):
    """Choose what the chart shows, and wait for it."""
    visit.page.get_by_label(mode, exact=True).check()
    name = {"Daily": "daily", "7-day mean": "7-day", "Weekly": "weekly"}[mode]
    visit.page.wait_for_function(
        "name => document.querySelector('#chart .ytitle').textContent.toLowerCase().includes(name)",
        arg=name,
    )


def points(visit):
    """The value of each day of each trace."""
    return {each["name"]: dict(zip(each["x"], each["y"], strict=True)) for each in visit.traces()}


@pytest.mark.parametrize("visit", BOTH, indirect=True, ids=["desktop", "phone"])
@pytest.mark.parametrize("query", [f"{ALL}&scale=log", f"{ALL}&scale=indexed", ALL])
def test_names_at_the_ends_do_not_overlap_and_are_not_cut_off(visit, query):
    visit.open(query)
    still(visit)
    places = dict(boxes(visit.page.locator("#chart .annotation-text")))
    ends = [places[name] for name in ("flask", "requests", "pytorch", "fastapi", "tensorflow")]
    for one, other in combinations(ends, 2):
        assert (
            one["y"] + one["height"] - HALO <= other["y"] + HALO + 1
            or other["y"] + other["height"] - HALO <= one["y"] + HALO + 1
        )
    chart = visit.page.locator("#chart .main-svg").first.bounding_box()
    for box in places.values():
        assert chart["x"] <= box["x"]
        assert box["x"] + box["width"] <= chart["x"] + chart["width"]
    assert {"today ", "forecast →"} <= places.keys()


SIZES = [{"viewport": {"width": width, "height": 800}} for width in (320, 360, 1440)]


@pytest.mark.parametrize("visit", SIZES, indirect=True, ids=["320", "360", "1440"])
@pytest.mark.parametrize("query", [ALL, "?package=flask"])
def test_a_label_lies_in_sight_and_tells_of_its_day_alone(visit, query):
    visit.open(query)
    still(visit)
    plot = visit.page.locator("#chart .nsewdrag").first.bounding_box()
    chart = visit.page.locator("#chart .main-svg").first.bounding_box()
    labels = visit.trace("Labels")
    texts = dict(zip(labels["x"], labels["text"], strict=True))
    first, last = min(texts), max(texts)
    event = (TRAINED - dt.timedelta(days=20)).isoformat()
    days = (first, event, OBSERVED.isoformat(), TODAY.isoformat(), last)
    places = visit.page.evaluate(PLACES, [[day, 1] for day in days])
    for day, (x, _) in zip(days, places, strict=True):
        label = point_at(visit, x, plot["y"] + plot["height"] / 2)
        header = label.locator(".legendtitletext").text_content()
        told = dt.datetime.strptime(header, "%A, %d %B %Y").date()  # noqa: DTZ007 - a day
        assert abs((told - dt.date.fromisoformat(day)).days) <= 1  # a pixel may be a day
        assert label.locator(".legendtext").all_text_contents() == [plain(texts[str(told)])]
        box = label.locator(".bg").bounding_box()
        assert chart["x"] <= box["x"], day
        assert box["x"] + box["width"] <= chart["x"] + chart["width"], day
        assert chart["y"] <= box["y"], day
        assert box["y"] + box["height"] <= chart["y"] + chart["height"], day
        for _, words in boxes(label.locator("text")):  # nor do its words leave the box
            assert box["x"] <= words["x"], day
            assert words["x"] + words["width"] <= box["x"] + box["width"], day
            assert words["x"] - box["x"] < 10, day  # without an empty column before them


def plain(text):
    return html.unescape(re.sub("<[^>]*>", "", text))


@pytest.mark.parametrize("visit", SIZES, indirect=True, ids=["320", "360", "1440"])
@pytest.mark.parametrize("query", ["?package=flask", LONG, f"{ALL}&range=30"])
def test_nothing_of_the_chart_is_cut_off(visit, query):
    visit.open(query)
    still(visit)
    chart = visit.page.locator("#chart .main-svg").first.bounding_box()
    texts = visit.page.locator("#chart .main-svg text")
    assert texts.count() > 8
    for text, box in boxes(texts):
        assert chart["x"] <= box["x"] + HALO, text
        assert box["x"] + box["width"] - HALO <= chart["x"] + chart["width"]
    lines = [box for _, box in boxes(visit.page.locator("#chart .xtick tspan"))]
    for one, other in combinations(lines, 2):
        left, right = sorted((one, other), key=lambda box: box["x"])
        apart = one["y"] + 2 < other["y"] or other["y"] + 2 < one["y"]
        assert apart or left["x"] + left["width"] <= right["x"]


@pytest.mark.parametrize("visit", BOTH, indirect=True, ids=["desktop", "phone"])
@pytest.mark.parametrize("query", ["?package=flask&range=30", f"{ALL}&mode=weekly"])
def test_a_log_axis_has_three_labels_at_the_least(visit, query):
    visit.open(f"{query}&scale=log")
    still(visit)
    assert 3 <= visit.page.locator("#chart .ytick text").count() <= 8


@pytest.mark.parametrize("visit", BOTH, indirect=True, ids=["light", "dark"])
@pytest.mark.parametrize("query", ["?package=flask&compare=requests", "?package=flask"])
def test_hover_labels_can_be_read(visit, query):
    visit.open(query)
    still(visit)
    plot = visit.page.locator("#chart .nsewdrag").first.bounding_box()
    for share, word in ((0.3, "downloads a day"), (0.85, "downloads a day")):
        label = point_at(visit, plot["x"] + plot["width"] * share, plot["y"] + plot["height"] / 2)
        label.get_by_text(word).first.wait_for()
        picture = painted(visit)
        for text, box in boxes(label.locator("text")):
            assert contrast(pixels(picture, box)) >= 4.5, text
        widths = "all => all.map(each => getComputedStyle(each).strokeWidth)"
        assert set(visit.page.locator("#chart .spikeline").evaluate_all(widths)) == {"1px"}


@pytest.mark.parametrize("visit", BOTH, indirect=True, ids=["light", "dark"])
def test_points_edges_and_words_stand_out_from_the_ground(visit):
    visit.open("?package=flask")
    still(visit)
    plot = visit.page.locator("#chart .nsewdrag").first.bounding_box()
    picture, drawn = painted(visit), points(visit)
    ground = pixels(picture, around(plot["x"] + 12, plot["y"] + 12, 1)).reshape(-1, 3)[0]

    def contrasts(name, step):
        places = visit.page.evaluate(PLACES, list(drawn[name].items())[8:-2:step])
        return [contrast(pixels(picture, around(*place)), ground) for place in places]

    for name, least in (("Counted", 3), ("7-day mean", 3), ("Forecast", 3)):
        found = contrasts(name, 9)
        assert np.median(found) >= least, (name, found)
    for name in ("95 % band", "Upper end of 95 %"):
        found = contrasts(name, 5)
        assert min(found) >= 3, (name, found)
    texts = visit.page.locator(
        "#chart .annotation-text, #chart .xtick text, #chart .ytick text,"
        "#chart .xtitle, #chart .ytitle"
    )
    assert texts.count() > 12
    for text, box in boxes(texts):
        assert contrast(pixels(picture, box)) >= 4.5, text


@pytest.mark.parametrize("visit", BOTH, indirect=True, ids=["light", "dark"])
def test_a_saved_picture_tells_all_and_has_the_ground_of_the_page(visit):
    visit.open("?package=flask")
    visit.wait_for_newest()
    body = visit.page.screenshot(clip={"x": 0, "y": 0, "width": 2, "height": 2})
    ground = Image.open(io.BytesIO(body)).convert("RGBA").getpixel((0, 0))
    saved = {}
    for kind in ("PNG", "SVG"):
        with visit.page.expect_download() as download:
            visit.page.get_by_role("button", name=f"Chart as {kind}").click()
        assert download.value.suggested_filename == f"flask-{OBSERVED}.{kind.lower()}"
        saved[kind] = download.value.path().read_bytes()
    picture = Image.open(io.BytesIO(saved["PNG"])).convert("RGBA")
    assert picture.getchannel("A").getextrema() == (255, 255)
    assert picture.getpixel((1, 1)) == ground
    title = np.asarray(picture.convert("RGB"), dtype=float)[20:80, 20:800]
    assert contrast(title) >= 4.5
    text = saved["SVG"].decode()
    assert "Downloads a day, 7-day mean: flask" in text
    assert "Source: PyPI Stats" in text
    assert f"counted through {OBSERVED.day}" in text


def test_months_are_hidden_where_too_few_were_counted(visit):
    visit.open("?package=flask")
    assert not visit.page.get_by_label("Monthly").is_visible()
    visit.open("?package=django")  # counted for two hundred days
    visit.page.get_by_label("Monthly").check()
    visit.wait_for_answer("?package=django&mode=monthly")
    assert "Monthly total" in {each["name"] for each in visit.traces()}


@pytest.mark.parametrize("visit", BOTH, indirect=True, ids=["desktop", "phone"])
def test_in_every_mode_the_line_lies_inside_its_bands_and_the_page_on_the_screen(visit):
    visit.open("?package=flask&smooth=0")
    for mode in MODES:
        show(visit, mode)
        wide = visit.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1], mode
        drawn = points(visit)
        line = drawn["Forecast"]
        ends = [drawn[name] for name in ("95 % band", "80 % band")]
        ends += [drawn[f"Upper end of {level} %"] for level in ("80", "95")]
        for day, value in line.items():
            lower_95, lower_80, upper_80, upper_95 = (end[day] for end in ends)
            assert lower_95 <= lower_80 <= value <= upper_80 <= upper_95, (mode, day)
        assert len(line) >= 30


def test_the_text_that_shows_the_pictures_elsewhere_can_be_copied(context, port, tmp_path):
    pictures = {"flask.svg": "<svg/>", "flask.badge.svg": "<svg/>"}
    bundle = make_bundle(pictures=pictures, last_day=OBSERVED, created_at=NOW, source="folder")
    replace_folder(tmp_path / "models", files_of(bundle))
    with (
        WarmAppServer({"MODELS_DIR": str(tmp_path / "models")}, port=port) as app,
        opened(context, app.url) as visit,
    ):
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=app.url)
        visit.open("?package=flask")
        visit.page.get_by_text("Show it on your own page").click()
        visit.page.get_by_role("button", name="Copy the Markdown of the badge").click()
        visit.page.get_by_text("Copied.").wait_for()
        assert visit.page.evaluate("navigator.clipboard.readText()") == (
            "[![Forecast of the downloads of flask]"
            f"({app.url}picture/flask.badge.svg)]({app.url}?package=flask)"
        )
        assert visit.errors == []
        context.clear_permissions()
