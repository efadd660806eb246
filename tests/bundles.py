"""Small bundles with real models, made without a search."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from forecast.bands import Forecast
from forecast.bundle.manifest import MANIFEST, Backtest, Manifest, PackageEntry, member_entries
from forecast.bundle.reader import Bundle, digest, read_zip
from forecast.bundle.replace import replacing
from forecast.bundle.tables import (
    FORECASTS,
    HISTORY,
    PAST,
    TOTALS,
    forecast_rows,
    header,
    history_rows,
    record_rows,
    total_rows,
)
from forecast.bundle.writer import Writer
from forecast.model.arima import Arima
from forecast.model.constants import constants
from forecast.model.model import Model
from forecast.model.pickling import dumps
from forecast.model.state import estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LAST_DAY = dt.date(2026, 11, 21)
CREATED_AT = dt.datetime(2026, 11, 22, 3, 23, tzinfo=dt.UTC)
SEARCHED = Arima((0, 0, 1), (0, 1, 1, 7), (-0.7, -0.8))


BANDS = {
    "mean": 310.0,
    "median": 300.0,
    "lower_80": 200.0,
    "upper_80": 400.0,
    "lower_95": 100.0,
    "upper_95": 500.0,
}


TOTAL = {name: value for name, value in BANDS.items() if name != "median"}


def bands(days=2) -> Forecast:
    """A forecast with a different value in each column."""
    start = LAST_DAY + dt.timedelta(days=1)
    return Forecast(start=start, **{name: np.full(days, each) for name, each in BANDS.items()})


def model_of(start: dt.date, values) -> Model:
    """A model without a search and without days off."""
    history = np.asarray(values, dtype=np.float64)
    found = estimate(history[None], start.weekday(), np.zeros(history.size), constants().profile)
    return Model(
        start=start,
        history=tuple(history.tolist()),
        days_off=(),
        gap=float(found.gap[0]),
        pattern=tuple(found.pattern[0].tolist()),
        weights=tuple(found.weights[:, 0].tolist()),
        searched=SEARCHED,
    )


def counts(last_day=LAST_DAY, days=70, size=1000):
    """A weekly pattern with a small trend."""
    index = pd.date_range(end=pd.Timestamp(last_day), periods=days, freq="D")
    weekend = np.where(index.day_of_week >= 5, 0.5, 1.0)
    values = np.rint(size * weekend * (1 + np.arange(days) / 500))
    return pd.Series(values.astype("int64"), index=index, name="downloads")


def make_bundle(
    names=("flask", "requests"),
    *,
    last_day=LAST_DAY,
    failed: Mapping[str, str] | None = None,
    pictures: Mapping[str, str] | None = None,
    groups: Mapping[str, Mapping[str, Any]] | None = None,
    **changed,
) -> Bundle:
    """A bundle of models made without a search; ``changed`` are fields of the manifest.

    ``groups`` are fields of the entries of those names that are groups.
    """
    histories = {name: counts(last_day, size=1000 * (1 + n)) for n, name in enumerate(names)}
    models = {name: model_of(each.index[0].date(), each) for name, each in histories.items()}
    manifest = draft(**changed)

    def write(writer: Writer) -> None:
        for name, model in models.items():
            drawn = {f: svg for f, svg in (pictures or {}).items() if f.split(".")[0] == name}
            writer.history(name, histories[name])
            made, totals = model.predict_with_totals(manifest.forecast_days)
            writer.add(
                name,
                entry(name, histories[name], model).model_copy(update=(groups or {}).get(name)),
                dumps(model),
                made,
                totals=totals,
                pictures=drawn,
            )
        for name, reason in (failed or {}).items():
            writer.skip(name, PackageEntry(label=name, status="failed", reason=reason))

    return written(write, manifest)


def draft(**changed) -> Manifest:
    """A draft of a manifest."""
    fields: dict[str, Any] = {
        "created_at": CREATED_AT,
        "source": "pypistats",
        "mirrors": True,
        "forecast_days": 30,
        "m_values": (3, 6, 7),
        "versions": {"python": "3.12.0"},
        "packages": {},
    }
    return Manifest(**(fields | changed))


def written(write: Callable[[Writer], None], manifest: Manifest) -> Bundle:
    """The bundle that ``write`` makes with a writer, in memory."""
    with TemporaryDirectory() as folder:
        writer = Writer(Path(folder), manifest.forecast_days)
        write(writer)
        writer.close(manifest)
        return in_memory(Path(folder))


def in_memory(folder: Path) -> Bundle:
    """The bundle of a folder that will be removed."""
    return read_zip(zip_of({path.name: path.read_bytes() for path in folder.iterdir()}))


def files_of(bundle: Bundle) -> dict[str, bytes]:
    """File name to content of all files of a bundle; the tables are written again."""
    tables = {
        name: header(name) + b"".join(_rows(bundle, name, package) for package in table.places)
        for name, table in bundle.tables.items()
    }
    models = [entry.file for entry in bundle.modelled.values() if entry.file]
    return {MANIFEST: bundle.manifest.dump()} | {
        name: tables[name] if name in tables else bundle.read_file(name)
        for name in [*bundle.manifest.files, *models]
    }


def _rows(bundle: Bundle, table: str, package: str) -> bytes:
    if table == HISTORY:
        return history_rows(package, bundle.history(package))
    if table == FORECASTS:
        rows = bundle.tables[table].of(package)
        return forecast_rows(package, Forecast.of(rows["date"].iloc[0].date(), rows))
    if table == TOTALS:
        return total_rows(package, bundle.totals(package))
    return record_rows(package, bundle.tables[table].columns(package), table)


def with_files(bundle: Bundle, **changed: bytes) -> Bundle:
    """A bundle with changed files and their digests in the manifest; ``__`` is a dot."""
    return read_zip(consistent(files_of(bundle), changed))


def consistent(files: Mapping[str, bytes], changed: Mapping[str, bytes]) -> bytes:
    """A zip with changed files and their digests in the manifest; ``__`` is a dot."""
    named = {name.replace("__", "."): data for name, data in changed.items()}
    document = json.loads(files[MANIFEST])
    for name, data in named.items():
        if name.endswith(".pkl"):
            document["packages"][name[:-4]]["sha256"] = digest(data)
        else:
            document["files"][name] = digest(data)
    return zip_of({**files, **named, MANIFEST: json.dumps(document).encode()})


def outdated(bundle: Bundle) -> Bundle:
    """The bundle as version 1.1 would have written it, its models and pictures aside."""
    files = files_of(bundle)
    document = json.loads(files.pop(MANIFEST))
    document["format"] = 1
    document["files"].pop(TOTALS)
    files.pop(TOTALS)
    for table in (FORECASTS, PAST):
        if table in files:
            rows = pd.read_csv(io.BytesIO(files[table]), dtype="str").drop(columns="median")
            files[table] = rows.to_csv(index=False, lineterminator="\n").encode()
    for name in document["files"]:
        document["files"][name] = digest(files[name])
    for each in document["packages"].values():
        for member in each["members"]:
            del member["theta"]
            member.update(scale="log", profile=0, cleaned=False)
        if each["backtest"]:
            del each["backtest"]["total_error"]
    return read_zip(zip_of({**files, MANIFEST: json.dumps(document).encode()}))


def replace_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Replace a folder by these files, as a run does with its bundle."""
    with replacing(target) as fresh:
        for name, data in files.items():
            (fresh / name).write_bytes(data)


def entry(name, history, model: Model) -> PackageEntry:
    return PackageEntry(
        label=name,
        status="trained",
        m=7,
        order=SEARCHED.order,
        seasonal_order=SEARCHED.seasonal_order,
        members=tuple(member_entries(model)),
        candidates=3456,
        trained_through=history.index[-1].date(),
        n_obs=len(history),
        backtest=Backtest(
            origins=3, mase=0.9, naive_mase=1.0, ratio=0.9, coverage_80=0.8, coverage_95=0.95
        ),
        seconds=0.4,
    )


def zip_of(files: Mapping[str, bytes] | Bundle) -> bytes:
    """The bytes of a zip as upload-artifact makes it: flat, deflated."""
    if isinstance(files, Bundle):
        files = files_of(files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            # The same files give the same bytes at any time.
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
