"""An app over a bundle of some thousand packages."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from itertools import product
from typing import TYPE_CHECKING

from forecast.model.pickling import dumps
from tests.appserver import NOW
from tests.browser.states import config_text, today
from tests.browser.warm import WarmAppServer
from tests.bundles import counts, draft, entry, files_of, model_of, replace_folder, written
from tests.standins.pypistats import PyPIStatsServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from forecast.bundle.reader import Bundle
    from forecast.bundle.writer import Writer
    from tests.appserver import AppServer

FIRST = ("fastapi", "requests-oauthlib", "requests-cache", "requests", "scikit-learn", "torchx")
SUBJECTS = "async cloud data doc file graph html image json log mail net pdf query sql text"
MANNERS = "admin api async auth cache cli core db extra forms io kit lite models next rest"
ENDS = ("", "2", "-tools", "-types")
NAMES = product(SUBJECTS.split(), MANNERS.split(), ENDS)
CROWD = (*FIRST, *(f"{subject}-{manner}{end}" for subject, manner, end in NAMES))


@contextmanager
def crowded(folder: Path) -> Iterator[AppServer]:
    """Models of a thousand packages, of which the config names five; others can be trained."""
    last_day = today() - dt.timedelta(days=1)
    replace_folder(folder / "models", files_of(_of_one_model(counts(last_day))))
    config = folder / "config.toml"
    config.write_text(config_text(today() - dt.timedelta(days=20)), encoding="utf-8")
    with PyPIStatsServer() as pypistats:
        series = counts(last_day, days=200)
        pypistats.series["torch"] = {day.date(): int(count) for day, count in series.items()}
        settings = {
            "FORECAST_CONFIG": str(config),
            "MODELS_DIR": str(folder / "models"),
            "PYPISTATS_URL": pypistats.url,
        }
        with WarmAppServer(settings) as running:
            yield running


def _of_one_model(history: pd.Series) -> Bundle:
    """A bundle in which every package has the same counts, and so the same forecast."""
    model = model_of(history.index[0].date(), history)
    manifest = draft(created_at=NOW, source="folder")
    made, totals = model.predict_with_totals(manifest.forecast_days)
    pickled = dumps(model)

    def write(writer: Writer) -> None:
        for name in CROWD:
            writer.history(name, history)
            writer.add(name, entry(name, history, model), pickled, made, totals=totals, pictures={})

    return written(write, manifest)
