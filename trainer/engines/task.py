"""The training of one package: a pure function of a task, so any engine may run it."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast.bundle.manifest import Backtest, PackageEntry, member_entries
from forecast.document.pictures import draw
from forecast.errors import ForecastError
from forecast.model import pickling
from forecast.search import Trained, train

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from forecast.bands import Forecast, Total
    from forecast.config import Package
    from forecast.series import Series


@dataclass(frozen=True)
class Task:
    """Everything that the training of one package depends on.

    Attributes:
        package: whose counts they are.
        series: what to train on.
        horizon: days to forecast.
        m_values: season lengths to try.
        redefined: days from which on something else is counted.
        pictures: whether to draw any; a picture could not say that its data is a sample.
    """

    package: Package
    series: Series
    horizon: int
    m_values: tuple[int, ...]
    redefined: tuple[dt.date, ...] = ()
    pictures: bool = True

    @property
    def name(self) -> str:
        """The package's name."""
        return self.package.name


@dataclass(frozen=True)
class Product:
    """What is published of a trained package.

    Attributes:
        entry: for the manifest, without file and digest.
        model: pickled.
        forecast: over the task's horizon.
        totals: of its first days, by their number.
        pictures: SVG by file name.
    """

    entry: PackageEntry
    model: bytes
    forecast: Forecast
    totals: Mapping[int, Total]
    pictures: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """The result of a task: a product, or the reason why there is none."""

    name: str
    product: Product | None
    reason: str
    seconds: float


def train_package(task: Task) -> Outcome:
    """Search, backtest, fit and forecast one package; never raises."""
    started = time.process_time()
    product, reason = None, ""
    try:
        series = task.series
        trained = train(
            series.values,
            series.start,
            horizon=task.horizon,
            m_values=task.m_values,
            redefined=task.redefined,
        )
        product = product_of(task, trained)
    except ForecastError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - an error in one package must not stop the others
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        reason = f"training failed at {place}: {type(error).__name__}: {error}"
    return Outcome(task.name, product, reason, time.process_time() - started)


def product_of(task: Task, trained: Trained) -> Product:
    """What is published of a package that was trained."""
    model, name, shown = trained.model, task.name, task.package.shown
    made, stopped = model.distribution(task.horizon), task.series.stopped
    forecast, totals = model.predict_with_totals(task.horizon, made)
    pictures: dict[str, str] = {}
    if task.pictures:
        pictures = draw(name, shown, model, forecast, totals, stopped=stopped, made=made)
    entry = PackageEntry(
        label=task.package.label,
        title=task.package.title,
        status="trained",
        m=trained.m,
        order=trained.order,
        seasonal_order=trained.seasonal_order,
        members=tuple(member_entries(model)),
        candidates=trained.candidates,
        trained_through=model.last_day,
        no_counts_since=stopped,
        n_obs=len(task.series.values),
        repaired=task.series.repaired,
        backtest=Backtest.model_validate(trained.scores, from_attributes=True),
    )
    return Product(entry, pickling.dumps(model), forecast, totals, pictures)
