"""The page's data without a network: bundles, counts and a search that tests pass in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.data.forecasts import Forecasts
from app.data.live_counts import LiveCounts
from app.data.on_demand import OnDemand
from app.data.store import Store
from forecast.config import Config
from forecast.search.backtest import Scores
from tests.bundles import LAST_DAY, SEARCHED, counts, model_of

if TYPE_CHECKING:
    from forecast.github.artifact import Provenance
    from forecast.model.model import Model

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
CONFIG = Config(
    packages=["Flask", "pytorch"],  # type: ignore[arg-type] # pydantic reads them
    username="owner",
    repo_name="repo",
    forecast_days=30,
    m_values=(3, 6, 7),
)


class Answers:
    """A source of bundles, or a client of GitHub, that answers from a list."""

    problem = moved = ""
    provenance: Provenance | None = None

    def __init__(self, *answers):
        self.answers = list(answers)

    def newest(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass(frozen=True)
class Trained:
    """The result of a search."""

    model: Model
    scores: Scores
    order: tuple = SEARCHED.order
    seasonal_order: tuple = SEARCHED.seasonal_order
    m: int = 7
    candidates: int = 12


def train(series, horizon, m_values):
    """A search that always finds the same ARIMA."""
    assert (horizon, m_values) == (30, (3, 6, 7))
    model = model_of(series.start, series.values)
    return Trained(model, Scores(4, 0.8, 1.0, 0.8, 0.81, 0.96, 0.1))


class PageData:
    """All forecasts of a page.

    Args:
        bundles: returned by its source, one after the other; the first is in use.
        answer: returned or raised by PyPI Stats; one newer day by default.
    """

    def __init__(self, *bundles, answer=None):
        self.asked = []
        self.answer = counts(LAST_DAY + dt.timedelta(days=1), days=71) if answer is None else answer
        on_demand = OnDemand(self.fetch, train, self.clock, horizon=30, m_values=(3, 6, 7))
        self.source = Answers(*bundles)
        store = Store(CONFIG, self.source)
        self.forecasts = Forecasts(store, LiveCounts(self.fetch, self.clock), on_demand)
        if bundles:
            store.refresh()

    def clock(self):
        return NOW

    def fetch(self, name):
        self.asked.append(name)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer
