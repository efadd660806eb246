import datetime as dt
from dataclasses import replace

import numpy as np

from app.view import hover
from app.view.curves import curve_of
from app.view.state import ALL, View
from forecast.config import Event
from tests.bundles import LAST_DAY
from tests.unit.app.view.samples import package_forecast


def curve(scale="absolute"):
    made = package_forecast()
    levels = {
        name: np.full(30, value)
        for name, value in (
            ("median", 3_000.0),
            ("lower_80", 2_000.0),
            ("upper_80", 4_000.0),
            ("lower_95", 1_000.0),
            ("upper_95", 5_000.0),
        )
    }
    series = replace(made.series, values=np.arange(1_000.0, 1_070.0), repaired=(LAST_DAY,))
    return curve_of(
        replace(made, series=series, daily=replace(made.daily, **levels)), View((), scale, ALL)
    )


def test_a_repaired_day_is_called_an_estimate():
    texts = hover.counted(curve())
    assert texts[-2:] == [
        "1,068 counted",
        "1,069 estimated, because the count is missing or wrong",
    ]


def test_downloads_are_told_whatever_the_scale():
    for scale in ("absolute", "log", "indexed"):
        assert hover.counts(curve(scale))[0] == "1,000"
        assert hover.means(curve(scale))[5:7] == ["", "1,003"]
        assert hover.short_forecast(curve(scale))[0] == "3,000 (2,000 to 4,000)"


def test_the_forecast_comes_with_both_bands():
    assert (
        hover.forecast(curve())
        == ["3,000 expected<br>80 %: 2,000 to 4,000<br>95 %: 1,000 to 5,000"] * 30
    )


def test_an_earlier_forecast_tells_its_day():
    assert hover.past_forecast(1234.0, LAST_DAY) == "1,234 forecast on 21 November 2026"


def test_a_long_note_is_broken_into_lines():
    note = "The way of counting changed and mirrors are left out from now on"
    text = hover.event(Event(date=dt.date(2026, 11, 1), kind="definition", note=note))
    lines = text.split("<br>")
    assert len(lines) == 2
    assert max(map(len, lines)) <= hover.WIDTH
    assert " ".join(lines) == f"1 November 2026: {note}."


def test_tags_and_templates_are_escaped():
    assert hover.escape("a <b> & %{x}\nc") == "a &lt;b&gt; &amp; % {x}<br>c"
