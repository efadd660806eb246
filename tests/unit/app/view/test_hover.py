import datetime as dt
import re
from dataclasses import replace

import numpy as np
import pytest

from app.view import hover
from app.view.curves import MIDDLE, Span, curve_of
from app.view.state import ALL, MODES, View
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


DAY = dt.timedelta(days=1)


def told(made):
    """The labels of a curve, in the order of their days."""
    return list(hover.labels([made]).values())


def ahead(made):
    """The label of the only span of the forecast."""
    return hover.labels([made])[Span(*[made.ahead.spans[0].last] * 2)]


def plain_lines(label):
    return [re.sub("<[^>]*>", "", line) for line in label.split("<br>")]


def test_a_repaired_day_is_called_an_estimate():
    assert told(curve())[68:70] == [
        "1,068 downloads counted",
        "1,069 downloads estimated,<br>because the count is missing or<br>wrong",
    ]


def test_downloads_are_told_whatever_the_scale():
    for scale in ("absolute", "log", "indexed"):
        assert told(curve(scale))[0] == "1,000 downloads counted"
        mean = told(curve(scale, "mean"))[6]
        assert mean == "1,006 downloads counted<br>1,003 downloads a day (7-day<br>mean)"


def test_the_forecast_comes_with_both_bands_to_three_digits():
    assert ahead(telling("daily", NUMBERS)) == (
        "about 123,000 downloads expected<br>80 %: 98,800 to 150,000<br>95 %: 80,000 to 200,000"
    )
    assert ahead(telling("mean", NUMBERS)).startswith(
        "about 123,000 downloads a day<br>expected (7-day mean)<br>80 %: "
    )
    millions = [100.0 * value for value in NUMBERS]
    assert ahead(telling("daily", millions)) == (
        "about 12.3 million downloads<br>expected<br>80 %: 9.9 to 15.0 million"
        "<br>95 %: 8.0 to 20.0 million"
    )
    few = (0.04, 0.0, 1.26, 0.0, 3.0)
    assert ahead(telling("daily", few)) == (
        "about 0.0 downloads expected<br>80 %: 0 to 1.3<br>95 %: 0 to 3"
    )


def test_a_week_tells_its_days_and_how_many_were_counted():
    assert told(telling("weekly", NUMBERS))[-1] == (
        "Mon 16 Nov to Sun 22 Nov 2026:"
        "<br>about 123,000 downloads<br>expected, 6 of its days counted"
        "<br>80 %: 98,800 to 150,000<br>95 %: 80,000 to 200,000"
    )
    assert told(telling("weekly", NUMBERS, first=2))[-1].startswith(
        "Mon 30 Nov to Sun 6 Dec 2026:<br>about 123,000 downloads expected<br>"
    )
    week = told(curve_of(package_forecast(), View(mode="weekly")))[-7]
    assert re.fullmatch(r"Mon 9 Nov to Sun 15 Nov 2026:<br>[\d,]+ downloads", week)


def test_a_month_is_named_by_the_header():
    months = curve_of(with_history(np.full(150, 10.0)), View(mode="monthly", days=ALL))
    labels = told(months)
    assert labels[-3] == "310 downloads"
    assert "downloads expected, 21<br>of its days counted<br>" in labels[-2]


def test_an_earlier_forecast_tells_its_day_beside_what_came():
    made = curve(mode="mean")
    line = replace(made.past, spans=made.past.spans[-1:])
    line = replace(line, downloads={MIDDLE: np.array([123_456.0])})
    label = told(replace(made, earlier=line, made_on=LAST_DAY))[69]
    assert label.endswith("<br>123,000 downloads a day forecast<br>on 21 November 2026")
    assert label.startswith("1,069 downloads estimated")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("others", [0, 1])
def test_each_day_has_one_label_which_tells_of_it_alone(mode, others):
    """A count, or a forecast, and never both; except of a week or month that has begun."""
    long = with_history(np.full(200, 1000.0))
    curves = [curve_of(each, View(mode=mode, days=ALL)) for each in [long, package_forecast()]]
    labels = hover.labels(curves[: others + 1], ("a", "b"))
    assert list(labels) == sorted(labels)
    days = [span.first + at * DAY for span in labels for at in range(span.days)]
    assert days == [days[0] + at * DAY for at in range(len(days))]
    for span, label in labels.items():
        assert ("80 %" in label) == (span.last > LAST_DAY)
        if others == 0 and mode in hover.ROLLING:
            assert (" counted" in label) == (span.last <= LAST_DAY)
        if others:
            assert label.count("flask: ") <= 2
            assert max(map(len, plain_lines(label))) <= hover.WIDTH + 2


def test_several_packages_have_a_line_each_below_their_unit():
    long = curve_of(with_history(np.full(150, 10.0), "a"), View(mode="mean", days=ALL))
    labels = hover.labels([long, curve(mode="mean")], ("<b>1</b>", "<b>2</b>"))
    texts = list(labels.values())
    assert texts[0] == "Downloads a day (7-day mean):<br><b>1</b> a: 10"
    assert labels[LAST_DAY, LAST_DAY].count("<br>") == 2
    assert re.search("<b>2</b> flask: [\\d,]+<br>80 %: [\\d,]+ to ", texts[-1])


def test_events_and_days_off_are_told_on_their_days():
    event = Event(
        date=LAST_DAY - 4 * DAY, until=LAST_DAY - 3 * DAY, kind="outage", note="All <was> down"
    )
    after = LAST_DAY + 4 * DAY
    labels = hover.labels([curve()], events=[event], days_off={after: "Feast: 3 % fewer"})
    noted = [span.first for span, text in labels.items() if "&lt;was&gt;" in text]
    assert noted == [event.date, event.until]
    assert [span.first for span, text in labels.items() if "Feast" in text] == [after]
    weeks = hover.labels([curve(mode="weekly")], events=[event], days_off={after: "Feast"})
    [week] = [span for span, text in weeks.items() if "&lt;was&gt;" in text]
    assert week.first <= event.date <= week.last
    assert not any("Feast" in text for text in weeks.values())


def test_every_line_fits_a_phone():
    note = "The way of counting changed and mirrors are left out from now on"
    event = Event(date=LAST_DAY, kind="definition", note=note)
    labels = hover.labels([curve(mode="mean")], events=[event])
    assert max(len(line) for text in labels.values() for line in plain_lines(text)) <= hover.WIDTH
    assert note in labels[LAST_DAY, LAST_DAY].replace("<br>", " ")


def test_tags_and_templates_are_escaped():
    assert hover.escape("a <b> & %{x}\nc") == "a &lt;b&gt; &amp; % {x}<br>c"
