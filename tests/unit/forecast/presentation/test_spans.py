import datetime as dt
from dataclasses import replace

import pytest

from forecast.bands import are_totals
from forecast.config import Package
from forecast.presentation.package_forecast import from_bundle
from forecast.presentation.spans import weeks
from tests.bundles import LAST_DAY, make_bundle


def test_weeks_are_whole_and_follow_the_last_day_counted():
    made = from_bundle(make_bundle(), Package("flask", "flask"), None, ())
    spans = weeks(made)

    assert [(span.first - LAST_DAY).days for span in spans] == [1, 8, 15, 22]
    assert all(span.last - span.first == dt.timedelta(days=6) for span in spans)
    for at, span in enumerate(spans):
        assert are_totals(span.total.columns())
        days = made.daily.mean[7 * at : 7 * at + 7]
        assert span.total.mean == pytest.approx(days.sum(), rel=1e-3)


def test_a_forecast_of_less_than_a_week_has_none():
    made = from_bundle(make_bundle(), Package("flask", "flask"), None, ())
    assert weeks(replace(made, daily=made.daily.first(6))) == []
