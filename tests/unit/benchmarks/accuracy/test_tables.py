"""The tables compare the same windows and count each day once."""

import datetime as dt

import numpy as np
import pytest

from benchmarks.accuracy import tables
from benchmarks.accuracy.methods import naive
from benchmarks.accuracy.results import NAIVE, OURS, Results
from benchmarks.accuracy.run import run
from benchmarks.accuracy.scores import score
from benchmarks.accuracy.windows import HORIZON, Window

MONDAY = dt.date(2026, 2, 2)


class NoDaysOff:
    def shares(self, start, days):
        return np.zeros(days)


class ChristmasDay:
    def shares(self, start, days):
        dates = [start + dt.timedelta(days=day) for day in range(days)]
        return np.array([float((each.month, each.day) == (12, 25)) for each in dates])


def window(number, source="here", group="all", start=MONDAY, level=100.0):
    noise = np.random.default_rng(number).normal(0.0, 0.05, 70 + HORIZON)
    values = np.round(level * np.exp(noise))
    return Window(source, f"p{number}", group, start, values[:70], values[70:])


def exact(given):
    made = naive(given)
    made[:, :HORIZON] = given.actual
    made[:, HORIZON] = given.actual.sum()
    return made


def results(windows, calendar=None, some=None):
    everywhere = np.ones(len(windows), dtype=bool)
    made = {
        OURS: run(exact, windows, everywhere, 1),
        NAIVE: run(naive, windows, everywhere, 1),
        "peer": run(naive, windows, everywhere if some is None else some, 1),
    }
    scores = {name: score(windows, each) for name, each in made.items()}
    return Results(windows, scores, calendar or NoDaysOff()), everywhere


def cells(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def column(table, name):
    head, _, *rows = cells(table)
    return [row[head.index(name)] for row in rows]


def test_a_method_is_listed_where_it_ran_on_every_window():
    windows = [window(number) for number in range(4)]
    found, everywhere = results(windows, some=np.array([True, True, False, True]))

    assert column(tables.methods(found, everywhere), "method") == [f"**{OURS}**", NAIVE]
    assert len(column(tables.methods(found, found.scores["peer"].ran), "method")) == 3


def test_groups_have_columns_of_their_own():
    windows = [window(1, group="89 days"), window(1, group="59 days")]
    found, everywhere = results(windows)
    table = tables.methods(found, everywhere)

    assert column(table, "of it: 89 days")[1] == "1.000"
    assert column(table, "windows") == ["2", "2", "2"]


def test_sources_weigh_alike():
    windows = [*[window(number, "large") for number in range(3)], window(9, "small")]
    found, everywhere = results(windows)

    ratios = np.log([0.5, 0.5, 0.5, 2.0])

    assert tables.by_source(found, ratios, everywhere) == pytest.approx(1.0)


def test_seconds_are_the_median():
    windows = [window(number) for number in range(3)]
    found, everywhere = results(windows)
    found.scores[NAIVE].seconds[:] = [1.0, 2.0, 90.0]

    assert column(tables.methods(found, everywhere), "CPU s")[1] == "2.000"


def test_windows_are_told_apart_by_the_days_off_ahead_and_by_christmas():
    before = dt.date(2026, 12, 25) - dt.timedelta(days=70 + HORIZON)
    windows = [window(1, start=MONDAY), window(2, start=before + dt.timedelta(days=1))]
    windows.append(window(3, start=dt.date(2026, 12, 1)))  # Christmas is in training alone
    found, everywhere = results(windows, ChristmasDay())

    head = cells(tables.days_off(found, everywhere))[0]

    assert head[1:] == [
        "no day off ahead (2)",
        "a day off ahead (1)",
        "no Christmas (1)",
        "Christmas (2)",
    ]


def test_the_standard_error_counts_a_package_once():
    windows = [window(1), window(2), window(2, group="again")]
    found, everywhere = results(windows)
    found.ours.error[:] = found.naive.error * np.exp([-0.1, 0.2, 0.4])

    assert tables.against(found, found.naive, everywhere) == "+10.5% ± 20.0%"


def test_windows_with_most_days_outside_are_counted():
    windows = [window(number) for number in range(4)]
    found, everywhere = results(windows)
    found.ours.inside_80[0, : HORIZON // 2 + 1] = 0.0
    found.ours.inside_80[1, : HORIZON // 2] = 0.0

    assert tables.under_half(found.ours, everywhere) == 0.25


def test_windows_that_are_all_alike_have_no_table_of_days_off():
    found, everywhere = results([window(1), window(2)])

    assert not tables.days_off(found, everywhere)


def test_every_day_is_in_one_class_of_days_and_every_window_in_two_of_windows():
    windows = [window(number, level=10.0 ** (1 + number % 3)) for number in range(48)]
    found, everywhere = results(windows)

    table = tables.coverage(found, everywhere)
    days = dict(zip(column(table, "class"), column(table, "days"), strict=True))
    count = {name: int(each.replace(",", "")) for name, each in days.items()}

    assert count["weekdays"] + count["weekends"] == 48 * HORIZON
    assert sum(count[f"week {week} ahead"] for week in range(1, 5)) == 48 * 28
    assert sum(each for name, each in count.items() if "a day" in name) == 48 * HORIZON
    assert sum(each for name, each in count.items() if "quarter" in name) == 48 * HORIZON
    assert set(column(table, "in 80 %")) == {"1.000"}


def test_totals_are_told_for_each_group_and_size():
    windows = [window(number, group=f"{59 + 30 * (number % 2)} days") for number in range(6)]
    windows.append(window(7, group="89 days", level=5.0))
    found, everywhere = results(windows)

    table = tables.totals(found, everywhere, [OURS])

    assert column(table, "windows of") == [
        "all",
        "89 days",
        "59 days",
        "10 a day and more",
        "under 10 a day",
    ]
    assert column(table, "number") == ["7", "4", "3", "6", "1"]
    assert set(column(table, "in 80 %")) == {"1.000"}
    assert set(column(table, "median log error")) == {"+0.000"}


def test_totals_of_one_group_are_told_by_season():
    windows = [window(1, start=MONDAY), window(2, start=dt.date(2026, 7, 1))]
    found, everywhere = results(windows)

    seasons = column(tables.totals(found, everywhere, [OURS]), "windows of")

    assert seasons[1:3] == ["April to June", "July to September"]


def test_breaks_are_told_by_kind():
    windows = [window(1, group="fell 1 week ago"), window(2, group="rose 2 weeks ago")]
    found, _ = results(windows)

    table = tables.breaks(found, [OURS])

    assert column(table, "level") == ["fell 1 week ago", "rose 2 weeks ago"]
    assert column(table, "totals in 80 %") == ["1.00", "1.00"]


def test_the_better_scale_of_a_peer_stays():
    windows = [window(number) for number in range(4)]
    everywhere = np.ones(4, dtype=bool)
    made = {"good": run(exact, windows, everywhere, 1), "poor": run(naive, windows, everywhere, 1)}
    made = {"ETS, level": made["poor"], "ETS, log": made["good"], NAIVE: made["poor"]}
    scores = {name: score(windows, each) for name, each in made.items()}

    found = Results(windows, scores, NoDaysOff()).better_scales(everywhere)

    assert list(found.scores) == ["ETS, log", NAIVE]
