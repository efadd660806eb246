"""How the pooled model does: ``python -m benchmarks.pooled.evaluation --data DIR --corpus DIR``.

Every figure is of the testing half of the packages, of which no constant knows, with the
learning half beside it. Ratio: geometric mean over windows of the mean absolute error over
the seasonal naive's (the ratio of their MASE).
"""

from __future__ import annotations

import argparse
import datetime as dt
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.pooled.constants import FIRST, LAST, M_VALUES, distribution, sum_errors
from benchmarks.pooled.data import Daily, Panel, corpus_panels, population_panel, read
from forecast.model.constants import FILE, Constants
from forecast.quantities import WEEK, Array
from forecast.search import train
from forecast.search.days_off import COLUMNS, Calendar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.model.distribution import Distribution

Mask = NDArray[np.bool_]

HORIZON = 30
ORIGINS = (59, 74, 89)
DAY_OFF = 0.1  # of the weekend gap
BREAK_ORIGINS = range(56, 90, 3)
FEW = 10.0  # downloads a day
STEADY = 1.2  # range of weekly means of ln(1 + y)
TOTALS = (7, 14, 28, 30)


class Scored:
    """Windows of equal horizon with all that is asked of them, one row a window."""

    def __init__(self, panels: Sequence[Panel], calendar: Calendar, pooled: Constants) -> None:
        parts = [_score(panel, distribution(panel, calendar, pooled)) for panel in panels]
        self._numbers = {
            name: np.concatenate([part[0][name] for part in parts]) for name in parts[0][0]
        }
        self._flags = {
            name: np.concatenate([part[1][name] for part in parts]) for name in parts[0][1]
        }
        self.sources = np.concatenate([panel.sources for panel in panels])
        self.learns = np.concatenate([panel.learns for panel in panels])

    def __getitem__(self, name: str) -> Array:
        """A column of numbers, one a window or a total."""
        return self._numbers[name]

    def flags(self, name: str) -> Mask:
        """A column of truths, one a window or one a day of it."""
        return self._flags[name]

    def halves(self) -> tuple[tuple[str, Mask], ...]:
        """The testing half, the learning half and both."""
        return ("test", ~self.learns), ("learn", self.learns), ("both", self.learns | ~self.learns)


def _score(panel: Panel, made: Distribution) -> tuple[dict[str, Array], dict[str, Mask]]:
    future, median, mean, ends = panel.future, made.median(), made.mean(), made.days()
    rows = len(future)
    naive = np.resize(np.arange(WEEK) - WEEK, HORIZON)
    error_of_naive = np.nanmean(np.abs(panel.past[:, naive] - future), axis=1)
    scale = np.abs(panel.past[:, WEEK:] - panel.past[:, :-WEEK]).mean(axis=1)
    known = np.isfinite(future)
    found: dict[str, Array] = {
        "size": panel.past[:, -28:].mean(axis=1),
        "volatility": made.state.evidence["error"],
        "ratio": _log_ratio(median, future, error_of_naive),
        "ratio_of_mean": _log_ratio(mean, future, error_of_naive),
        "mase": np.nanmean(np.abs(median - future), axis=1) / scale,
    }
    flags: dict[str, Mask] = {
        "known": known,
        "weekend": np.tile(made.weekend, (rows, 1)),
        "day_off": np.tile(made.shares > DAY_OFF, (rows, 1)),
        "christmas": np.full(rows, _sees_christmas(panel)),
    }
    for band in ("80", "95"):
        lower, upper = getattr(ends, f"lower_{band}"), getattr(ends, f"upper_{band}")
        flags[f"in_{band}"] = known & (lower <= future) & (future <= upper)
    outside = np.maximum(ends.lower_80 - future, 0) + np.maximum(future - ends.upper_80, 0)
    found["interval"] = np.nanmean(ends.upper_80 - ends.lower_80 + 10 * outside, axis=1) / scale
    spans = np.array(TOTALS, dtype=np.float64)
    middle, bands = made.sums(spans, spans)
    for place, days in enumerate(TOTALS):
        part = sum_errors(panel, made, days, days)
        found[f"total_{days}"] = part
        actual = np.expm1(part + np.log1p(middle[:, place]))
        for band in ("80", "95"):
            lower = getattr(bands, f"lower_{band}")[:, place]
            upper = getattr(bands, f"upper_{band}")[:, place]
            found[f"below_{band}_{days}"] = np.where(
                np.isfinite(part), actual < lower - 1e-6, np.nan
            )
            found[f"above_{band}_{days}"] = np.where(
                np.isfinite(part), actual > upper + 1e-6, np.nan
            )
    return found, flags


def _sees_christmas(panel: Panel) -> bool:
    """Whether training or future hold a day from 22 December to 2 January."""
    days = panel.past.shape[1] + panel.future.shape[1]
    dates = [panel.start + dt.timedelta(days=day) for day in range(days)]
    return any(
        (each.month, each.day) >= (12, 22) or (each.month, each.day) <= (1, 2) for each in dates
    )


def _log_ratio(made: Array, future: Array, naive: Array) -> Array:
    error = np.nanmean(np.abs(made - future), axis=1)
    return np.asarray(np.log(np.maximum(error, 1e-9) / np.maximum(naive, 1e-9)))


def figures(scored: Scored, keep: Mask) -> str:
    """One line about some windows."""
    days = scored.flags("known")[keep]
    in_80, in_95 = scored.flags("in_80")[keep], scored.flags("in_95")[keep]
    return (
        f"n {keep.sum():5d}  ratio {np.exp(scored['ratio'][keep].mean()):.4f}"
        f" (mean {np.exp(scored['ratio_of_mean'][keep].mean()):.4f})"
        f"  MASE {scored['mase'][keep].mean():.3f}"
        f"  days {in_80[days].mean():.3f} {in_95[days].mean():.3f}"
        f"  interval {scored['interval'][keep].mean():.2f}"
    )


def totals(scored: Scored, keep: Mask, days: int = HORIZON) -> str:
    """The totals of some windows."""
    error = scored[f"total_{days}"][keep]
    part = [
        (
            np.nanmean(scored[f"below_{band}_{days}"][keep]),
            np.nanmean(scored[f"above_{band}_{days}"][keep]),
        )
        for band in ("80", "95")
    ]
    (b80, a80), (b95, a95) = part
    return (
        f"{days:3d} days  in {1 - b80 - a80:.3f} {1 - b95 - a95:.3f}"
        f"  below {b80:.3f} above {a80:.3f}  (95: {b95:.3f} {a95:.3f})"
        f"  median log error {np.nanmedian(error):+.3f}  |error| {np.nanmedian(np.abs(error)):.3f}"
    )


def by_class(scored: Scored, keep: Mask) -> list[str]:
    """Shares of days in the 80 / 95 % band by class, over some windows."""
    lines = []
    size, volatility = scored["size"][keep], scored["volatility"][keep]
    known, in_80, in_95 = (scored.flags(name)[keep] for name in ("known", "in_80", "in_95"))

    def line(name: str, chosen: Mask) -> None:
        chosen = np.broadcast_to(chosen, known.shape) & known
        if chosen.sum() > 300:  # noqa: PLR2004
            lines.append(
                f"    {name:28s} {in_80[chosen].mean():.3f} {in_95[chosen].mean():.3f}"
                f"  ({chosen.sum()} days)"
            )

    for low, high in (
        (0, 10),
        (10, 100),
        (100, 1e3),
        (1e3, 1e4),
        (1e4, 1e5),
        (1e5, 1e6),
        (1e6, 1e12),
    ):
        line(f"size {low:g} to {high:g}", ((size >= low) & (size < high))[:, None])
    edges = np.quantile(volatility, [0, 0.25, 0.5, 0.75, 1])
    for place in range(4):
        low, high = edges[place], edges[place + 1]
        line(
            f"volatility quarter {place + 1}", ((volatility >= low) & (volatility <= high))[:, None]
        )
    day = np.arange(known.shape[1])[None]
    for week in range(4):
        line(f"week {week + 1}", day // WEEK == week)
    line("weekdays", ~scored.flags("weekend")[keep])
    line("weekends", scored.flags("weekend")[keep])
    line("days off", scored.flags("day_off")[keep])
    return lines


def broken(panel: Panel, calendar: Calendar) -> dict[tuple[str, int], Mask]:
    """Rows with a steady level of five weeks, then under half or over twice of it for 1 to 3."""
    n = panel.past.shape[1]
    found: dict[tuple[str, int], Mask] = {}
    z = np.log1p(panel.past)
    weekday = (panel.start.weekday() + np.arange(n)) % WEEK < 5  # noqa: PLR2004
    gap = np.clip(np.median(z[:, weekday], axis=1) - np.median(z[:, ~weekday], axis=1), 0, 1)
    z = z + gap[:, None] * calendar.shares(panel.start, n)
    for weeks in (1, 2, 3):
        new = WEEK * weeks
        if n < 35 + new:
            continue
        after = z[:, n - new :].reshape(-1, weeks, WEEK).mean(axis=2)
        before = z[:, n - new - 35 : n - new].reshape(-1, 5, WEEK).mean(axis=2)
        steady = (np.ptp(before, axis=1) < STEADY) & (np.ptp(after, axis=1) < STEADY)
        step = after.mean(axis=1) - before.mean(axis=1)
        found["fell", weeks] = steady & (step < -np.log(2))
        found["rose", weeks] = steady & (step > np.log(2))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--constants", type=Path, default=FILE)
    parser.add_argument("--fits", type=int, default=200, help="packages that are fitted whole")
    options = parser.parse_args(arguments)
    pooled = Constants.from_json(options.constants.read_text(encoding="utf-8"))
    calendar = Calendar(FIRST, LAST, tuple(pooled.days_off[name] for name in COLUMNS))
    population_series, corpus_series = read(options.data), read(options.corpus)
    population(population_series, calendar, pooled)
    corpus(corpus_series, calendar, pooled)
    seasons(corpus_series, calendar, pooled)
    breaks(population_series, calendar, pooled)
    whole(population_series, calendar, pooled, options.fits)
    return 0


def population(series: Sequence[Daily], calendar: Calendar, pooled: Constants) -> None:
    """The packages that people ask for, from three days of a spring."""
    print("POPULATION")
    for origin in ORIGINS:
        scored = Scored([population_panel(series, origin, HORIZON)], calendar, pooled)
        for half, keep in scored.halves()[:2]:
            print(f"  day {origin} {half:5s} {figures(scored, keep)}")
            for days in TOTALS:
                print(f"           {totals(scored, keep, days)}")
            if half == "test":
                print("\n".join(by_class(scored, keep)))


def corpus(series: Sequence[Daily], calendar: Calendar, pooled: Constants) -> None:
    """The mixed corpus, as `benchmarks.accuracy.windows` cuts it."""
    print("CORPUS")
    scored = Scored(corpus_panels(series, HORIZON, 90, 6), calendar, pooled)
    for half, keep in scored.halves():
        print(f"  {half:5s} {figures(scored, keep)}")
        sources = np.unique(scored.sources[keep])
        each = [np.mean(scored["ratio"][keep & (scored.sources == name)]) for name in sources]
        print(f"        by source {np.exp(np.mean(each)):.4f}")
        print(f"        without Christmas: {figures(scored, keep & ~scored.flags('christmas'))}")
        print(f"        with:              {figures(scored, keep & scored.flags('christmas'))}")
        few = scored["size"] < FEW
        print(f"        under 10 a day {totals(scored, keep & few)}")
        print(f"        over 10        {totals(scored, keep & ~few)}")
        print("\n".join(by_class(scored, keep)))


def seasons(series: Sequence[Daily], calendar: Calendar, pooled: Constants) -> None:
    """Totals of the corpus by the quarter that they lie in, all windows a month apart."""
    print("SEASONS (corpus, all windows 30 days apart)")
    panels = corpus_panels(series, HORIZON, 30, 60)
    middles = [
        panel.start + dt.timedelta(days=panel.past.shape[1] + HORIZON // 2) for panel in panels
    ]
    month = np.array([middle.month for middle in middles])
    scored = Scored(panels, calendar, pooled)
    for low in (1, 4, 7, 10):
        for half, part in scored.halves()[:2]:
            keep = (month >= low) & (month < low + 3) & part
            print(f"  months {low:2d}.. {half:5s} n {keep.sum():4d} {totals(scored, keep)}")


def breaks(series: Sequence[Daily], calendar: Calendar, pooled: Constants) -> None:
    """Windows after a break."""
    print("BREAKS")
    chosen: dict[tuple[str, int], list[Panel]] = {}
    for origin in BREAK_ORIGINS:
        panel = population_panel(series, origin, HORIZON)
        for kind, rows in broken(panel, calendar).items():
            if rows.any():
                chosen.setdefault(kind, []).append(panel.part(rows))
    for (name, weeks), panels in sorted(chosen.items()):
        scored = Scored(panels, calendar, pooled)
        for half, keep in scored.halves()[::2]:
            print(f"  {name} {weeks} {half:5s} {figures(scored, keep)} | {totals(scored, keep)}")


def whole(series: Sequence[Daily], calendar: Calendar, pooled: Constants, packages: int) -> None:
    """Fitted, forecast and backtested one by one, as a training run does it."""
    print("AS SHIPPED (one package after the other, day 89, test half)")
    tested = [each for each in series if not each.learns]
    some = population_panel(tested[:: max(len(tested) // packages, 1)], 89, HORIZON)
    last_week = np.resize(np.arange(-WEEK, 0), HORIZON)
    settings: Any = {"m_values": M_VALUES, "horizon": HORIZON, "calendar": calendar}
    train(some.past[0], some.start, **settings)
    errors, seconds = [], np.zeros(2)
    for counts, future in zip(some.past, some.future, strict=True):
        clock = [time.process_time()]
        model = train(counts, some.start, pooled=pooled, **settings).model
        clock.append(time.process_time())
        made = model.predict(HORIZON)
        model.totals(TOTALS)
        clock.append(time.process_time())
        seconds += np.diff(clock)
        naive = np.abs(counts[last_week] - future).mean()
        errors.append([np.abs(path - future).mean() / naive for path in (made.median, made.mean)])
    median, mean = np.exp(np.log(errors).mean(axis=0))
    fitting, forecasting = 1e3 * seconds / len(errors)
    print(
        f"  n {len(errors)}  ratio {median:.4f} (mean {mean:.4f})  CPU ms a package:"
        f" fit and backtest {fitting:.1f}, forecast and totals {forecasting:.1f}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
