"""From a regular daily series to a fitted, backtested model.

The search goes through a funnel, cheap steps for many candidates and dear ones for few:

1. Every order of the grid, for every m, on the log and on the level scale and for
   every differencing, is screened by two regressions (`screening.py`).
2. m is the one whose seasonal profile, with ARIMA errors of its best order, has the
   smallest AICc. All of these are differenced once, so their criteria compare; those
   of seasonal differences would not (Hyndman and Khandakar 2008).
3. The best few orders of each differencing are fitted by conditional least squares
   (`least_squares.py`), again ranked by AICc, and the leaders are made to forecast
   from several past days.
4. Two differencings a scale enter the mean. Usually these are a seasonal difference,
   and a plain difference of the series freed of its seasonal profile; another one
   replaces either if it did much better from the past days.
5. The members are fitted by exact maximum likelihood with pmdarima.

The mean over differencings and scales is where the accuracy comes from: choosing one
of them by backtest loses what averaging gains (benchmarks/README.md has the figures).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forecast.errors import SeriesError
from forecast.model.ensemble import Model, without_holidays
from forecast.model.holidays import weekend_gap
from forecast.model.member import (
    LEVEL,
    LOG,
    MAD_TO_DEVIATION,
    SPIKE,
    Member,
    member_series,
    to_counts,
    to_scale,
    winsorise,
)
from forecast.quantities import LARGEST_COUNT, WEEK, Array
from forecast.search.backtest import Scores, backtest, origins
from forecast.search.least_squares import (
    BLOCKS,
    Fitted,
    difference,
    forecasts,
    least_squares,
    natural,
    walk,
)
from forecast.search.likelihood import maximise
from forecast.search.screening import Screened, aicc, long_lags, screen, used

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

Integers = NDArray[np.int64]

SHORTEST = 14  # days; two weeks, below which not even a weekday has come twice
SHORTEST_SEARCH = 56  # days; eight weeks, as in the counts that the figures come from
SEASONS_NEEDED = 3  # of m in the series: two differ, the third tells which is usual

REFINED = 5  # orders a differencing; fifteen cost twice as much and forecast no better
# How much smaller the error of another differencing must be before it replaces one of
# the two that are usual. At 1.0, plain choice by backtest, the error of the tuning series
# rises by one to two percent; at 0.7 it is that of never choosing, and a series that
# drifts for months still gets its second difference.
MARGIN = 0.7

# Factors on the members' own deviations at which 80 % and 95 % of the days of the tuning
# series fell into the bands; and of the sums of 30 days, whose ends lie farther out
# because a level that moves moves all days together.
WIDTHS = (0.95, 1.15)
TOTAL_WIDTHS = (1.07, 1.25)


@dataclass(frozen=True)
class Trained:
    """A model and how it was found.

    Attributes:
        model: fitted on everything.
        scores: the backtest of the same search made on the earlier part alone.
        m: the chosen season, 1 for none.
        order: (p, d, q) of the leading member.
        seasonal_order: (P, D, Q, m) of the leading member.
        candidates: how many models were looked at.
    """

    model: Model
    scores: Scores
    m: int
    order: tuple[int, int, int]
    seasonal_order: tuple[int, int, int, int]
    candidates: int


@dataclass(frozen=True)
class Family:
    """What the candidates of one grid share: a series and its differencing.

    Attributes:
        scale: LOG or LEVEL.
        d: plain differences.
        seasonal_d: seasonal differences.
        adjusted: whether the seasonal profile is taken off first.
        cleaned: whether spikes are pulled in first. Of the two usual members of a scale
            one sees the spikes and one does not: they err on different days.
        usual: whether it enters the mean unless another one does much better.
    """

    scale: str
    d: int
    seasonal_d: int
    adjusted: bool
    cleaned: bool
    usual: bool


SEASONAL_FAMILIES = (
    Family(LOG, d=0, seasonal_d=1, adjusted=False, cleaned=True, usual=True),
    Family(LOG, d=1, seasonal_d=0, adjusted=True, cleaned=False, usual=True),
    Family(LOG, d=1, seasonal_d=0, adjusted=False, cleaned=True, usual=False),
    Family(LOG, d=1, seasonal_d=1, adjusted=False, cleaned=True, usual=False),
    Family(LEVEL, d=0, seasonal_d=1, adjusted=False, cleaned=False, usual=True),
    Family(LEVEL, d=1, seasonal_d=0, adjusted=True, cleaned=True, usual=True),
    Family(LEVEL, d=1, seasonal_d=0, adjusted=False, cleaned=True, usual=False),
    Family(LEVEL, d=1, seasonal_d=1, adjusted=False, cleaned=True, usual=False),
)
PLAIN_FAMILIES = (
    Family(LOG, d=1, seasonal_d=0, adjusted=True, cleaned=True, usual=True),
    Family(LOG, d=1, seasonal_d=0, adjusted=True, cleaned=False, usual=True),
    Family(LEVEL, d=1, seasonal_d=0, adjusted=True, cleaned=True, usual=True),
    Family(LEVEL, d=1, seasonal_d=0, adjusted=True, cleaned=False, usual=True),
)
MEMBERS_A_SCALE = 2


@dataclass(frozen=True)
class Series:
    """A family's series with season m.

    Attributes:
        family: what it is.
        blank: a member that has everything but orders and parameters.
        z: what the ARIMA sees, shape (n,).
        w: z differenced, shape (n - d - D m,).
    """

    family: Family
    blank: Member
    z: Array
    w: Array


@dataclass(frozen=True)
class Leaders:
    """The best candidate of each series, one row each.

    Attributes:
        orders: p, q, P, Q; shape (series, 4).
        fitted: as `Fitted`, rows picked.
    """

    orders: Integers
    fitted: Fitted


@dataclass(frozen=True)
class SearchResult:
    """What the search arrives at before exact likelihood.

    Attributes:
        members: least-squares parameters, best first.
        m: the season.
        candidates: how many models were looked at.
    """

    members: tuple[Member, ...]
    m: int
    candidates: int


def train(values: Array, start: dt.date, *, horizon: int, m_values: tuple[int, ...]) -> Trained:
    """Search, backtest and fit one package. Pure: no files, network, clock or chance.

    Args:
        values: downloads a day, shape (n,), regular and without holes.
        start: day of the first value.
        horizon: days of the forecast, 1 to 365.
        m_values: seasonal periods to try, each 1 to 366; what is too long for the
            series is left out.

    Raises:
        SeriesError: the series is too short or is not a series of counts.
    """
    counts = _checked(values)
    note = _simple_reason(counts)
    if note:
        return _simple(counts, start, note)
    gap = _weekend_gap(counts, start)
    usual = without_holidays(counts, start, gap)
    found = search(usual, horizon, m_values)
    members = tuple(_exact(member, member_series(member, usual)) for member in found.members)
    leading = members[0]
    return Trained(
        model=_model(counts, start, members, gap),
        scores=_backtested(counts, start, horizon, m_values),
        m=found.m,
        order=leading.order,
        seasonal_order=leading.seasonal_order,
        candidates=found.candidates,
    )


def search(counts: Array, horizon: int, m_values: Sequence[int]) -> SearchResult:
    """Find the members for counts (n,) without holidays; steps 1 to 4 of the module."""
    seasons = _usable(counts.size, m_values)
    grids = {m: _series(counts, m) for m in seasons}
    skipped = max(long_lags(counts.size - 1, m)[-1] for m in seasons)
    screened = {m: [_screened(each, m, skipped) for each in series] for m, series in grids.items()}
    m = min(seasons, key=lambda each: _profile_criterion(grids[each], screened[each]))
    leaders = _leaders(grids[m], screened[m], m)
    errors = _rolling_errors(grids[m], leaders, m, counts, horizon)
    chosen = _chosen([each.family for each in grids[m]], errors)
    members = tuple(_member(grids[m][row], leaders, row, m, 1.0 / len(chosen)) for row in chosen)
    looked_at = sum(len(each.orders) for table in screened.values() for each in table)
    return SearchResult(members, m, looked_at)


def profile(z: Array, m: int) -> Array:
    """Effects of the m positions of a season on z (n,), shape (m,), with mean 0.

    The median, by position, of the distance to a centred moving average over one
    season: the first two steps of the classical decomposition, with a median against
    spikes. Position 0 is that of z[0].
    """
    if m == 1:
        return np.zeros(1)
    weights = np.ones(m) if m % 2 else np.concatenate([[0.5], np.ones(m - 1), [0.5]])
    inside = np.convolve(np.ones(z.size), weights, "same")
    distance = z - np.convolve(z, weights, "same") / inside
    effects = np.array([np.median(distance[position::m]) for position in range(m)])
    return np.asarray(effects - effects.mean())


def _checked(values: Array) -> Array:
    counts = np.ascontiguousarray(values, dtype=np.float64)
    if counts.ndim != 1 or counts.size < SHORTEST:
        raise SeriesError(
            f"has {counts.size} days of counts; a forecast needs {SHORTEST} at least: "
            "wait until there are more"
        )
    if not np.all((counts >= 0.0) & (counts <= LARGEST_COUNT)):
        raise SeriesError(
            f"has days that are no counts from 0 to {LARGEST_COUNT:g}; repair the series first"
        )
    return counts


def _simple_reason(counts: Array) -> str:
    """Why no search is made, in one sentence; empty where one is."""
    if not counts.any():
        return "No download was counted on any day, so the forecast is nought."
    if np.all(counts == counts[0]):
        return "Every day has the same count, so the forecast repeats it."
    if counts.size < SHORTEST_SEARCH:
        return (
            f"Only {counts.size} days are known, too few for a search, "
            "so the forecast repeats the last week."
        )
    return ""


def _simple(counts: Array, start: dt.date, note: str) -> Trained:
    """A random walk for what never moves, the seasonal naive for what is short."""
    constant = bool(np.all(counts == counts[0]))
    lag = 1 if constant else WEEK
    order = (0, 1, 0) if constant else (0, 0, 0)
    seasonal_order = (0, 0, 0, 0) if constant else (0, 1, 0, WEEK)
    z = to_scale(counts, LOG, 1.0)
    variance = float(np.mean((z[lag:] - z[:-lag]) ** 2))
    member = Member(order, seasonal_order, LOG, (variance,), 1.0)
    model = Model(start, tuple(counts.tolist()), (member,), note)
    return Trained(model, Scores(origins=0), lag, order, seasonal_order, 1)


def _backtested(counts: Array, start: dt.date, horizon: int, m_values: Sequence[int]) -> Scores:
    """Scores of the search that knows the days before the first origin alone.

    Its parameters are those of least squares; exact likelihood moves them too little to
    be worth its time twice.
    """
    sizes = origins(counts.size, horizon)
    if not sizes or _simple_reason(counts[: sizes[0]]):
        return Scores(origins=0)
    early = counts[: sizes[0]]
    gap = _weekend_gap(early, start)
    found = search(without_holidays(early, start, gap), horizon, m_values)
    return backtest(_model(early, start, found.members, gap), counts, horizon, sizes)


def _model(counts: Array, start: dt.date, members: tuple[Member, ...], gap: float) -> Model:
    return Model(
        start=start,
        history=tuple(counts.tolist()),
        members=members,
        weekend_gap=gap,
        widths=WIDTHS,
        total_widths=TOTAL_WIDTHS,
    )


def _weekend_gap(counts: Array, start: dt.date) -> float:
    return weekend_gap(profile(np.log1p(counts), WEEK), start)


def _usable(n: int, m_values: Sequence[int]) -> list[int]:
    """The seasons that n days can show, ascending; no season where none is left."""
    fitting = sorted({m for m in m_values if m == 1 or n >= SEASONS_NEEDED * m + SHORTEST})
    return fitting or [1]


def _series(counts: Array, m: int) -> list[Series]:
    families = PLAIN_FAMILIES if m == 1 else SEASONAL_FAMILIES
    scaled = {scale: to_scale(counts, scale, _unit(counts, scale)) for scale in (LOG, LEVEL)}
    cleaned = {scale: winsorise(z, m) for scale, z in scaled.items()}
    found = []
    for family in families:
        z = (cleaned if family.cleaned else scaled)[family.scale]
        effects = profile(z, m) if family.adjusted and m > 1 else np.empty(0)
        if effects.size:
            z = z - np.resize(effects, z.size)
        blank = Member(
            (0, family.d, 0),
            (0, family.seasonal_d, 0, m) if family.seasonal_d else (0, 0, 0, 0),
            family.scale,
            (1.0,),
            1.0,
            tuple(effects.tolist()),
            family.cleaned,
            _unit(counts, family.scale),
        )
        found.append(Series(family, blank, z, difference(z, family.d, family.seasonal_d, m)))
    return found


def _unit(counts: Array, scale: str) -> float:
    return float(counts.mean()) if scale == LEVEL else 1.0


def _screened(series: Series, m: int, skipped: int) -> Screened:
    extra = m - 1 if series.family.adjusted else 0
    return screen(series.w, m, skipped, extra)


def _profile_criterion(series: Sequence[Series], screened: Sequence[Screened]) -> float:
    """AICc of the profile with its best ARIMA errors, summed over the scales."""
    return sum(
        float(table.aicc[0])
        for each, table in zip(series, screened, strict=True)
        if each.family.adjusted and each.family.usual
    )


def _leaders(series: Sequence[Series], screened: Sequence[Screened], m: int) -> Leaders:
    """Refine the best few orders of each series, all at once, and keep the best of each."""
    n = series[0].z.size
    orders = np.concatenate([table.orders[:REFINED] for table in screened])
    starts = np.concatenate([table.starts(REFINED) for table in screened])
    sizes = [len(table.orders[:REFINED]) for table in screened]
    padded = [np.concatenate([np.zeros(n - each.w.size), each.w]) for each in series]
    w = np.repeat(np.array(padded), sizes, axis=0)
    observed = np.repeat([each.w.size for each in series], sizes)
    fitted = least_squares(w, starts, used(orders), m)
    criterion = aicc(fitted.squares, observed, orders.sum(axis=1))
    ends = np.cumsum(sizes)
    best = [
        int(end - size + np.argmin(criterion[end - size : end]))
        for end, size in zip(ends, sizes, strict=True)
    ]
    kept = Fitted(fitted.partial[best], fitted.innovations[best], fitted.squares[best])
    return Leaders(orders[best], kept)


def _rolling_errors(
    series: Sequence[Series], leaders: Leaders, m: int, counts: Array, horizon: int
) -> Array:
    """Mean absolute error of each leader over past origins, shape (series,), downloads.

    The parameters are those of all days: this ranks differencings that share that
    advantage, and is not what is published as the backtest. Noughts where the series
    is too short to look back on.
    """
    past = origins(counts.size, horizon)
    if not past:
        return np.zeros(len(series))
    z = np.array([each.z for each in series])
    models = walk(
        leaders.fitted.partial, [(each.family.d, each.family.seasonal_d) for each in series], m
    )
    paths = forecasts(models, z, leaders.fitted.innovations, past, horizon)
    errors = np.empty((len(series), len(past)))
    for place, origin in enumerate(past):
        actual = counts[origin : origin + horizon]
        for row, each in enumerate(series):
            path = paths[row, place]
            if each.blank.profile:
                effects = np.resize(np.asarray(each.blank.profile), origin + horizon)
                path = path + effects[origin:]
            errors[row, place] = np.mean(np.abs(to_counts(each.blank, path) - actual))
    return np.asarray(errors.mean(axis=1))


def _chosen(families: Sequence[Family], errors: Array) -> list[int]:
    """Rows of the members: the two best of each scale, the unusual ones handicapped."""
    handicap = np.array([1.0 if family.usual else 1.0 / MARGIN for family in families])
    usual_first = np.array([not family.usual for family in families])
    ranked = np.lexsort((np.arange(len(families)), usual_first, errors * handicap))
    rows: list[int] = []
    for scale in (LOG, LEVEL):
        rows += [int(row) for row in ranked if families[row].scale == scale][:MEMBERS_A_SCALE]
    return sorted(rows, key=lambda row: float(errors[row]))


def _member(series: Series, leaders: Leaders, row: int, m: int, weight: float) -> Member:
    """A leader as a member, with least-squares parameters."""
    p, q, big_p, big_q = (int(order) for order in leaders.orders[row])
    values = natural(leaders.fitted.partial[row : row + 1])[0]
    kept = [values[block][:size] for block, size in zip(BLOCKS, (p, q, big_p, big_q), strict=True)]
    family = series.family
    seasonal = (big_p, family.seasonal_d, big_q)
    observed = leaders.fitted.innovations[row][-series.w.size :]
    return replace(
        series.blank,
        order=(p, family.d, q),
        seasonal_order=(*seasonal, m) if any(seasonal) else (0, 0, 0, 0),
        params=(*np.concatenate(kept).tolist(), _robust_variance(observed)),
        weight=weight,
    )


def _exact(member: Member, z: Array) -> Member:
    """The member with parameters of exact likelihood; the variance stays robust."""
    return replace(member, params=(*maximise(member, z), member.params[-1]))


def _robust_variance(e: Array) -> float:
    """Variance of innovations (n,) with spikes pulled in to `SPIKE` robust deviations.

    A plain variance lets one spike widen the bands of every day to come: with it the
    interval score of the tuning series is six to ten percent larger.
    """
    limit = SPIKE * MAD_TO_DEVIATION * float(np.median(np.abs(e)))
    kept = np.clip(e, -limit, limit) if limit > 0.0 else e
    return float(np.mean(kept**2))
