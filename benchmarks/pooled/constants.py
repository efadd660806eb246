"""Learn what is pooled: ``make constants DATA=population CORPUS=corpus``.

Only packages of the learning half (SHA-256 of the name) are looked at. The steps build on
each other: the days off, the weekday profile, the bands, the weight of the search, the
weight of a package's own record. The same input gives the same file, to the last digit.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import lsq_linear, minimize

from benchmarks.pooled.data import Daily, Panel, corpus_panels, population_panel, read
from forecast.model import quantiles
from forecast.model.constants import FILE, Constants
from forecast.model.distribution import predictive
from forecast.model.state import estimate
from forecast.model.weekdays import (
    WIDEST_GAP,
    centred_week,
    weekday_numbers,
    weekend_gap,
)
from forecast.quantities import WEEK, Array
from forecast.search import days_off
from forecast.search.backtest import LEAST_ERROR, backtest_counts
from forecast.search.days_off import COLUMNS, Calendar
from forecast.search.search import search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecast.model.distribution import Distribution

Sample = tuple[Array, Array, Array]  # errors (n,), features (n, k), weights (n,)

FIRST, LAST = dt.date(2018, 1, 1), dt.date(2027, 12, 31)

# Days off: what is believed of each column before any count, and how firmly.
BELIEVED: dict[str, tuple[float, float]] = {
    "united_states": (0.3, 0.1),
    "united_states_minor": (0.06, 0.08),
    "china": (0.06, 0.06),
    "europe": (0.2, 0.15),
    "asia": (0.1, 0.1),
    "elsewhere": (0.08, 0.1),
    "friday_after_thanksgiving": (0.3, 0.2),
    "eve": (0.05, 0.1),
    "day_after": (0.1, 0.1),
    "bridge": (0.1, 0.1),
    "long_weekend": (0.15, 0.1),
    "on_weekend": (0.1, 0.1),
    "christmas_run_up": (0.3, 0.2),
    "december_24": (0.7, 0.3),
    "december_25": (1.0, 0.3),
    "december_26": (0.7, 0.3),
    "december_27_to_30": (0.5, 0.3),
    "december_31": (0.7, 0.3),
    "january_1": (1.0, 0.3),
    "january_2_to_7": (0.4, 0.3),
    "christmas_weekend": (0.2, 0.2),
}
DAY_SHOCK = 0.04  # of the gap; what moves all packages on one day and is no day off
STRETCH = 84  # days over which a weekend gap is measured
NARROWEST_GAP = 0.15  # a package with less tells nothing of days off

# Bands.
POPULATION_ORIGINS = (38, 45, 52, 59, 66, 74, 81, 89)
LONGEST = 60  # days ahead that the population shows
CORPUS_SPACING, CORPUS_ORIGINS = 30, 60
CORPUS_DAYS = 90
CORPUS_WEIGHT = 0.5  # of all its windows, beside 1 of the population's
HORIZON = 30  # days
SEASON_SHIFT = 0.03  # how far a month of a season moves all packages together, in logs
SUMS = (
    *((days, days) for days in (3, 7, 14, 21, 28, 30, 45, 60, 90)),
    *((7, last) for last in (14, 21, 30, 60, 90)),
    *((30, 60), (30, 90)),
)
RIDGE = 1e-4

# The search.
WEIGHTS = (0.0, 0.1, 0.25, 0.5)  # of the searched ARIMA in the mean
SIGNIFICANT = 1.96  # standard errors; five percent
SEARCH_ORIGINS = (59, 74, 89)
SEARCH_EVERY = 4  # one package in so many is searched
M_VALUES = (3, 6, 7)


# --- days off -------------------------------------------------------------------------


def measured_shares(
    series: Sequence[Daily], believed: Calendar
) -> dict[dt.date, tuple[float, float]]:
    """Share of the weekend gap lost on each date, and its variance, over all series.

    A day is compared with the median of the same weekday within three weeks, days off left
    out; the share is the weighted median over packages of the difference over the gap.
    """
    seen: dict[dt.date, list[tuple[float, float]]] = {}
    for each in series:
        z = np.log1p(each.counts)
        n = z.size
        shares = believed.shares(each.start, n)
        ordinary = np.where(np.abs(shares) > 0.05, np.nan, z)  # noqa: PLR2004
        padded = np.pad(ordinary, 21, constant_values=np.nan)
        around = np.stack([padded[21 + lag : 21 + lag + n] for lag in (-21, -14, -7, 7, 14, 21)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of weekdays without neighbours
            away = z - np.nanmedian(around, axis=0)
        weekdays = weekday_numbers(each.start.weekday(), n)
        for begin in range(0, n, STRETCH):
            low = max(0, min(begin, n - STRETCH))
            part = np.arange(low, min(low + STRETCH, n))
            known = part[np.isfinite(ordinary[part]) & np.isfinite(away[part])]
            if known.size < STRETCH // 2:
                continue
            gap = float(weekend_gap(ordinary[None, known], weekdays[known])[0])
            if gap < NARROWEST_GAP:
                continue
            noise = 1.48 * float(np.median(np.abs(away[known]))) + 0.02
            for day in range(begin, min(begin + STRETCH, n)):
                if np.isfinite(away[day]):
                    date = each.start + dt.timedelta(days=day)
                    seen.setdefault(date, []).append((-away[day] / gap, gap / noise))
    return {date: _weighted_median(np.array(pairs)) for date, pairs in seen.items()}


def _weighted_median(pairs: Array) -> tuple[float, float]:
    ranked = pairs[np.argsort(pairs[:, 0], kind="stable")]
    reached = np.cumsum(ranked[:, 1])
    middle = ranked[np.searchsorted(reached, reached[-1] / 2), 0]
    return float(middle), DAY_SHOCK**2 + 1.57 / float((pairs[:, 1] ** 2).sum())


def learn_days_off(groups: Sequence[Sequence[Daily]]) -> dict[str, float]:
    """Weights of the columns: ridge regression towards what was believed, none negative."""
    believed = Calendar(FIRST, LAST, tuple(BELIEVED[name][0] for name in COLUMNS))
    columns = days_off.table(FIRST, (LAST - FIRST).days + 1)
    centre, spread = np.array([BELIEVED[name] for name in COLUMNS]).T
    rows, targets = [np.diag(1.0 / spread)], [centre / spread]
    for group in groups:
        for date, (share, variance) in sorted(measured_shares(group, believed).items()):
            row = columns[(date - FIRST).days]
            if row.any():
                rows.append(row[None] / np.sqrt(variance))
                targets.append(np.array([share / np.sqrt(variance)]))
    matrix, target = np.concatenate(rows), np.concatenate(targets)
    trust = np.ones(target.size)
    for _ in range(20):  # Huber's weights: one odd day must not bend the table
        found = lsq_linear(matrix * trust[:, None], target * trust, bounds=(0.0, np.inf)).x
        away = np.abs(matrix @ found - target)
        trust = np.sqrt(np.minimum(1.0, 2.0 / np.maximum(away, 1e-9)))
        trust[: centre.size] = 1.0
    return {name: round(float(value), 3) for name, value in zip(COLUMNS, found, strict=True)}


def learn_profile(panel: Panel, calendar: Calendar) -> list[float]:
    """The median weekday pattern over packages in units of its own length, Monday first."""
    first = panel.start.weekday()
    shares = calendar.shares(panel.start, panel.past.shape[1])
    z = np.log1p(panel.past)
    gap = weekend_gap(z, weekday_numbers(first, z.shape[1]))
    away = z + gap[:, None] * shares
    away = away - centred_week(away)
    own = np.stack([np.median(away[:, day::WEEK], axis=1) for day in range(WEEK)], axis=1)
    own = np.roll(own, first, axis=1)
    wide = (gap > NARROWEST_GAP) & (gap < WIDEST_GAP)
    found = np.median(own[wide] / gap[wide, None], axis=0)
    found -= found.mean()
    return [round(float(value), 4) for value in found / np.sqrt((found**2).sum())]


# --- bands ----------------------------------------------------------------------------


def learn_bands(
    panels: Sequence[tuple[float, Panel]], calendar: Calendar, pooled: Constants
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """Coefficients of the quantiles of days and of sums; panels with the weight of a row."""
    days: list[Sample] = []
    sums: list[Sample] = []
    for number, (weight, panel) in enumerate(panels):
        made = distribution(panel, calendar, pooled)
        days.append(_day_sample(panel, made, weight, number))
        sums.append(_sum_sample(panel, made, weight))
    errors, features, weights = (np.concatenate(parts) for parts in zip(*days, strict=True))
    for_days = {
        name: _quantile(errors, features, weights, level, quantiles.DAY)
        for name, level in quantiles.QUANTILES.items()
    }
    errors, features, weights = (np.concatenate(parts) for parts in zip(*sums, strict=True))
    turned = np.array([-1.0 if name in quantiles.SIGNED else 1.0 for name in quantiles.SUM])
    # Every sum enters four times: as it was, with its error turned round, and each of them
    # in a season that moved all packages up or down.
    # It moves them the farther the longer it lasts.
    ahead = np.exp(
        features[:, quantiles.SUM.index("horizon")] + features[:, quantiles.SUM.index("lead")]
    )
    drift = SEASON_SHIFT * WEEK / HORIZON * ahead
    errors = np.concatenate([sign * errors + up * drift for sign in (1, -1) for up in (1, -1)])
    features = np.concatenate([features * side for side in (1.0, turned) for _ in range(2)])
    weights = np.tile(weights, 4)
    for_sums = {
        name[-2:]: _quantile(errors, features, weights, quantiles.QUANTILES[name], quantiles.SUM)
        for name in ("upper_80", "upper_95")
    }
    return for_days, for_sums


def distribution(panel: Panel, calendar: Calendar, pooled: Constants) -> Distribution:
    """The model's forecasts of a panel's future."""
    n, days = panel.past.shape[1], panel.future.shape[1]
    shares = calendar.shares(panel.start, n + days)
    return predictive(panel.past, panel.start, shares, pooled)


def _day_sample(panel: Panel, made: Distribution, weight: float, number: int) -> Sample:
    """Errors, features and weights of a third of the days of every forecast of a panel."""
    some = np.arange(number % 3, panel.future.shape[1], 3)
    table = quantiles.day_features(
        made.state.evidence, some.astype(np.float64) + 1.0, made.weekend[some], made.shares[some]
    )
    errors = np.log1p(panel.future[:, some]) - made.medians[:, some]
    return _flat(errors, table, quantiles.DAY, weight)


def _sum_sample(panel: Panel, made: Distribution, weight: float) -> Sample:
    possible = [(days, last) for days, last in SUMS if last <= panel.future.shape[1]]
    errors = np.stack([sum_errors(panel, made, *each) for each in possible], axis=1)
    table = quantiles.sum_features(made.state.evidence, *np.array(possible, dtype=np.float64).T)
    return _flat(errors, table, quantiles.SUM, weight)


def sum_errors(panel: Panel, made: Distribution, days: int, last: int) -> Array:
    """ln(1 + sum) less its forecast's, shape (rows,); NaN where a third of days is unknown."""
    span = slice(last - days, last)
    known = np.isfinite(panel.future[:, span])
    forecast = (made.mean()[:, span] * known).sum(axis=1)
    actual = np.nansum(panel.future[:, span], axis=1)
    return np.where(known.mean(axis=1) > 2 / 3, np.log1p(actual) - np.log1p(forecast), np.nan)


def _flat(errors: Array, table: Mapping[str, Array], names: Sequence[str], weight: float) -> Sample:
    columns = [np.broadcast_to(table[name], errors.shape) for name in names]
    keep = np.isfinite(errors)
    return (
        errors[keep],
        np.stack([column[keep] for column in columns], axis=1),
        np.full(keep.sum(), weight),
    )


def _quantile(
    errors: Array, features: Array, weights: Array, level: float, names: Sequence[str]
) -> dict[str, float]:
    """Coefficients b of q = +-exp(features @ b) with the least pinball loss, slightly ridged."""
    sign = 1.0 if level > 0.5 else -1.0  # noqa: PLR2004
    outer = max(level, 1.0 - level)
    share = weights / weights.sum()
    towards = sign * errors

    def loss(b: Array) -> tuple[float, Array]:
        q = np.exp(np.clip(features @ b, -9.0, 3.0))
        beyond = towards - q
        # In units of q: a package with wide bands is no more important than another.
        value = np.where(beyond > 0.0, outer * beyond, (outer - 1.0) * beyond)
        slope = np.where(beyond > 0.0, -outer, 1.0 - outer) * q
        size = 1.0 / scale
        return (
            float(share @ (value * size)) + RIDGE * float(b[1:] @ b[1:]),
            features.T @ (share * slope * size) + 2 * RIDGE * np.r_[0.0, b[1:]],
        )

    scale = np.ones_like(errors)
    start = np.zeros(features.shape[1])
    start[0], start[1] = -1.5, 0.8
    for _ in range(2):
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
        start = found.x
        scale = np.exp(np.clip(features @ start, -5.0, 2.0))
    return {name: round(float(value), 4) for name, value in zip(names, start, strict=True)}


def learning_panels(ours: Sequence[Daily], long: Sequence[Daily]) -> list[tuple[float, Panel]]:
    """Panels of the population and of the long series, with the weight of each row."""
    panels = [
        population_panel(ours, origin, min(LONGEST, 119 - origin)) for origin in POPULATION_ORIGINS
    ]
    rows = sum(panel.past.shape[0] for panel in panels)
    rest = corpus_panels(
        [each for each in long if each.source != "clickpy"],  # it is of the population
        CORPUS_DAYS,
        CORPUS_SPACING,
        CORPUS_ORIGINS,
    )
    weight = CORPUS_WEIGHT * rows / max(len(rest), 1)
    return [(1.0, panel) for panel in panels] + [(weight, panel) for panel in rest]


# --- the search and the record ---------------------------------------------------------


def learn_search_weight(ours: Sequence[Daily], calendar: Calendar, pooled: Constants) -> float:
    """The largest weight of the searched ARIMA that is not measurably worse than the best.

    Not measurably: by less than `SIGNIFICANT` standard errors of the difference, so that
    the configured m keep an effect where that costs nothing.
    """
    found = []
    for origin in SEARCH_ORIGINS:
        panel = population_panel(ours[::SEARCH_EVERY], origin, HORIZON)
        found.append([ratios(panel, made) for made in searched(panel, calendar, pooled)])
    errors = np.concatenate(found, axis=1)  # (weights, windows)
    best = int(np.argmin(errors.mean(axis=1)))
    excess = errors - errors[best]
    limit = excess.std(axis=1) / np.sqrt(excess.shape[1])
    for weight, mean, error in zip(WEIGHTS, excess.mean(axis=1), limit, strict=True):
        print(f"search weight {weight}: log error {mean:+.5f}, standard error {error:.5f}")
    return max(
        weight
        for weight, mean, most in zip(WEIGHTS, excess.mean(axis=1), limit, strict=True)
        if mean <= SIGNIFICANT * most
    )


def searched(panel: Panel, calendar: Calendar, pooled: Constants) -> list[Distribution]:
    """Outlooks of a panel with the searched ARIMA in the mean, one for each of WEIGHTS."""
    n, days = panel.past.shape[1], panel.future.shape[1]
    first = panel.start.weekday()
    shares = calendar.shares(panel.start, n + days)
    parameters = estimate(panel.past, first, shares[:n], pooled.profile)
    adjusted = np.log1p(panel.past) - parameters.season(weekday_numbers(first, n), shares[:n])
    path = np.stack([search(row, M_VALUES).arima.ahead(row, days) for row in adjusted])
    return [
        predictive(
            panel.past,
            panel.start,
            shares,
            replace(pooled, search_weight=weight),
            parameters=parameters,
            path=path,
        )
        for weight in WEIGHTS
    ]


def ratios(panel: Panel, made: Distribution) -> Array:
    """Logarithm of the error over the seasonal naive's, shape (rows,)."""
    error = np.nanmean(np.abs(made.median() - panel.future), axis=1)
    last_week = np.resize(np.arange(-WEEK, 0), panel.future.shape[1])
    naive = np.nanmean(np.abs(panel.past[:, last_week] - panel.future), axis=1)
    return np.asarray(np.log(np.maximum(error, 1e-9) / np.maximum(naive, 1e-9)))


def learn_record(
    ours: Sequence[Daily], long: Sequence[Daily], calendar: Calendar, pooled: Constants
) -> dict[str, float]:
    """How far a package's own backtest tells of the month that follows it."""
    population = record_sample([population_panel(ours, 89, HORIZON)], 14, calendar, pooled)
    windows = corpus_panels(
        [each for each in long if each.source != "clickpy"], HORIZON, HORIZON, CORPUS_ORIGINS
    )
    corpus = record_sample(windows, HORIZON, calendar, pooled)
    earned = []
    for sample in (population, corpus):
        past, following, own, width, missed = sample.T
        slope = np.cov(past, following)[0, 1] / np.var(past, ddof=1)
        columns = np.stack([np.ones(own.size), own, width], axis=1)
        (_, of_own, of_width), *_ = np.linalg.lstsq(columns, missed, rcond=None)
        share = max(of_own, 0.0) / (max(of_own, 0.0) + of_width)
        earned.append((float(slope), float(share)))
    _, following, own, width, missed = population.T
    return {
        "ratio": round(float(np.exp(following.mean())), 3),
        "ratio_weight": round(max(float(np.mean([slope for slope, _ in earned])), 0.0), 3),
        "half_of_width": round(float(np.exp(np.median(missed - width))), 3),
        "half_of_mean": round(float(np.exp(np.median(missed - own))), 3),
        "total_weight": round(float(np.mean([share for _, share in earned])), 3),
    }


def record_sample(
    panels: Sequence[Panel], horizon: int, calendar: Calendar, pooled: Constants
) -> Array:
    """What backtests said and what came, in logarithms, shape (windows, 5).

    The columns: ratio of the backtest, of the month after it; error of the total in the
    backtest, width of its band, error in the month after.
    """
    rows = []
    for panel in panels:
        n = panel.past.shape[1]
        shares = calendar.shares(panel.start, n)
        made = distribution(panel, calendar, pooled)
        span = np.array([float(HORIZON)])
        _, ends = made.sums(span, span)
        width = np.log(np.log1p(ends.upper_80[:, 0]) - np.log1p(ends.lower_80[:, 0]))
        missed = np.log(np.maximum(np.abs(sum_errors(panel, made, HORIZON, HORIZON)), 1e-3))
        for row, (ratio, counts) in enumerate(zip(ratios(panel, made), panel.past, strict=True)):
            past = backtest_counts(counts, panel.start, shares, horizon, pooled)
            if past.ratio and past.total_error is not None and np.isfinite(missed[row]):
                own = np.log(max(past.total_error, LEAST_ERROR))
                rows.append((np.log(past.ratio), ratio, own, width[row], missed[row]))
    return np.array(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Learn everything and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the population")
    parser.add_argument("--corpus", type=Path, required=True, help="folder of long series")
    parser.add_argument("--output", type=Path, default=FILE)
    options = parser.parse_args(arguments)
    population, corpus = read(options.data), read(options.corpus)
    learned = learn(population, corpus)
    options.output.write_text(json.dumps(learned, indent=2) + "\n", encoding="utf-8")
    Constants.from_json(options.output.read_text(encoding="utf-8"))
    return 0


def learn(population: Sequence[Daily], corpus: Sequence[Daily]) -> dict[str, object]:
    """All constants, as the file has them."""
    ours = [each for each in population if each.learns]
    long = [each for each in corpus if each.learns]
    off = learn_days_off([ours, long])
    calendar = Calendar(FIRST, LAST, tuple(off[name] for name in COLUMNS))
    profile = learn_profile(population_panel(ours, 119, 0), calendar)
    known = Constants(tuple(profile), off, days={}, sums={}, search_weight=0.0, record={})
    for_days, for_sums = learn_bands(learning_panels(ours, long), calendar, known)
    known = replace(known, days=for_days, sums=for_sums)
    return {
        "profile": profile,
        "days_off": off,
        "days": for_days,
        "sums": for_sums,
        "search_weight": learn_search_weight(ours, calendar, known),
        "record": learn_record(ours, long, calendar, known),
    }


if __name__ == "__main__":
    raise SystemExit(main())
