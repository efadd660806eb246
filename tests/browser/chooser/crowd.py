"""An app over a bundle of some thousand packages."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import contextmanager
from itertools import product
from typing import TYPE_CHECKING

from forecast.bundle.manifest import MANIFEST
from forecast.bundle.reader import digest
from tests.appserver import NOW
from tests.browser.states import config_text, today
from tests.browser.warm import WarmAppServer
from tests.bundles import counts, files_of, make_bundle, replace_folder
from tests.standins.pypistats import PyPIStatsServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    replace_folder(folder / "models", _files())
    config = folder / "config.toml"
    config.write_text(config_text(today() - dt.timedelta(days=20)), encoding="utf-8")
    with PyPIStatsServer() as pypistats:
        series = counts(today() - dt.timedelta(days=1), days=200)
        pypistats.series["torch"] = {day.date(): int(count) for day, count in series.items()}
        settings = {
            "FORECAST_CONFIG": str(config),
            "MODELS_DIR": str(folder / "models"),
            "PYPISTATS_URL": pypistats.url,
        }
        with WarmAppServer(settings) as running:
            yield running


def _files() -> dict[str, bytes]:
    """A bundle in which every package has the counts, the model and the forecast of the first."""
    first, last_day = CROWD[0], today() - dt.timedelta(days=1)
    made = make_bundle([first], last_day=last_day, created_at=NOW, source="folder")
    files = files_of(made)
    document = json.loads(files[MANIFEST])
    of_first = document["packages"][first]
    model = files[of_first["file"]]
    document["packages"] = {
        name: {**of_first, "label": name, "file": f"{name}.pkl"} for name in CROWD
    }
    for table in document["files"]:
        columns, rows = files[table].split(b"\n", 1)
        of_each = (rows.replace(f"{first},".encode(), f"{name},".encode()) for name in CROWD)
        files[table] = columns + b"\n" + b"".join(of_each)
        document["files"][table] = digest(files[table])
    models = {f"{name}.pkl": model for name in CROWD}
    return {**files, **models, MANIFEST: json.dumps(document).encode()}
