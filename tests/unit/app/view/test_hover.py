import datetime as dt
from dataclasses import replace

import numpy as np

from app.view import hover
from app.view.curves import MIDDLE, curve_of
from app.view.state import ALL, View
from forecast.config import Event
from tests.bundles import LAST_DAY
from tests.unit.app.view.samples import package_forecast, with_history


def curve(scale="absolute", mode="daily"):
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
    changed = replace(made, series=series, daily=replace(made.daily, **levels))
    return curve_of(changed, View((), scale, ALL, mode))


def telling(mode, values, *, first=0):
    """A curve whose forecast says these numbers from its first span on."""
    made = curve_of(package_forecast(), View(mode=mode))
    names = (MIDDLE, "lower_80", "upper_80", "lower_95", "upper_95")
    columns = {name: np.array([value]) for name, value in zip(names, values, strict=True)}
    ahead = replace(made.ahead, spans=made.ahead.spans[first : first + 1], downloads=columns)
    return replace(made, ahead=ahead)


NUMBERS = (123_456.0, 98_765.0, 150_123.0, 80_000.0, 200_456.0)


def test_a_repaired_day_is_called_an_estimate():
    texts = hover.counted(curve())
    assert texts[-2:] == [
        "1,068 downloads counted",
        "1,069 downloads estimated, because the count is missing or wrong",
    ]
    assert hover.past(curve()) == texts


def test_downloads_are_told_whatever_the_scale():
    for scale in ("absolute", "log", "indexed"):
        assert hover.counted(curve(scale))[0] == "1,000 downloads counted"
        assert hover.past(curve(scale, "mean"))[0] == "1,003 downloads a day (7-day mean)"
        assert hover.short_past(curve(scale, "mean"))[0] == "1,003 downloads a day"
        assert hover.short_ahead(curve(scale))[0] == "3,000 downloads (2,000 to 4,000)"


def test_the_forecast_comes_with_both_bands_to_three_digits():
    assert hover.ahead(telling("daily", NUMBERS)) == [
        "about 123,000 downloads expected<br>80 %: 98,800 to 150,000<br>95 %: 80,000 to 200,000"
    ]
    assert hover.ahead(telling("mean", NUMBERS))[0].startswith(
        "about 123,000 downloads a day expected (7-day mean)<br>80 %: "
    )
    millions = [100.0 * value for value in NUMBERS]
    assert hover.ahead(telling("daily", millions)) == [
        (
            "about 12.3 million downloads expected<br>80 %: 9.9 to 15.0 million"
            "<br>95 %: 8.0 to 20.0 million"
        )
    ]
    few = (0.04, 0.0, 1.26, 0.0, 3.0)
    assert hover.ahead(telling("daily", few)) == [
        "about 0.0 downloads expected<br>80 %: 0 to 1.3<br>95 %: 0 to 3"
    ]


def test_a_week_tells_its_days_and_how_many_were_counted():
    assert hover.ahead(telling("weekly", NUMBERS)) == [
        (
            "Monday 16 to Sunday 22 November 2026:"
            "<br>about 123,000 downloads expected, 6 of its days counted"
            "<br>80 %: 98,800 to 150,000<br>95 %: 80,000 to 200,000"
        )
    ]
    assert hover.ahead(telling("weekly", NUMBERS, first=2))[0].startswith(
        "Monday 30 November to Sunday 6 December 2026:<br>about 123,000 downloads expected<br>"
    )
    week = hover.past(curve_of(package_forecast(), View(mode="weekly")))[-1]
    assert week.startswith("Monday 9 to Sunday 15 November 2026:<br>")
    assert week.endswith(" downloads")


def test_a_month_is_named_by_the_header():
    months = curve_of(with_history(np.full(150, 10.0)), View(mode="monthly", days=ALL))
    assert hover.past(months)[-1] == "310 downloads"
    assert "downloads expected, 21 of its days counted<br>" in hover.ahead(months)[0]


def test_an_earlier_forecast_tells_its_day():
    text = hover.earlier(123_456.0, curve(mode="mean"), LAST_DAY)
    assert text == "123,000 downloads a day forecast on 21 November 2026"


def test_a_long_note_is_broken_into_lines():
    note = "The way of counting changed and mirrors are left out from now on"
    text = hover.event(Event(date=dt.date(2026, 11, 1), kind="definition", note=note))
    lines = text.split("<br>")
    assert len(lines) == 2
    assert max(map(len, lines)) <= hover.WIDTH
    assert " ".join(lines) == f"1 November 2026: {note}."


def test_tags_and_templates_are_escaped():
    assert hover.escape("a <b> & %{x}\nc") == "a &lt;b&gt; &amp; % {x}<br>c"
