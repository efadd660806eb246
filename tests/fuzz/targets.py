"""The targets: the inputs of each, and the properties of an accepted input."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import json
import re
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import requests
import urllib3

from forecast.bands import BAND_COLUMNS, TOTAL_COLUMNS
from forecast.bundle.manifest import parse_manifest
from forecast.bundle.reader import read_zip
from forecast.bundle.svg import ELEMENTS, check_picture
from forecast.bundle.tables import PAST, TOTAL_TRACK, TRACK, header, history_rows, read_table
from forecast.config import Config, load_config
from forecast.errors import DownloadsError, ForecastError
from forecast.github.artifacts import GitHubArtifacts
from forecast.github.attestations import decompressed
from forecast.github.provenance import ProvenanceVerifier
from forecast.history import merge
from forecast.model import pickling
from forecast.model.model import Model
from forecast.quantities import LARGEST_COUNT
from forecast.sources.clickhouse import ClickHouse
from forecast.sources.csv_counts import read_counts
from forecast.sources.pypistats_answer import read_answer
from forecast.sources.retry import RetryPolicy
from forecast.text import LONGEST, clean, markup
from tests.bundles import files_of
from tests.fuzz import inputs, parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hypothesis.strategies import SearchStrategy

    from forecast.bundle.reader import Bundle

Histories = dict[str, dict[dt.date, int]]

LONGEST_MESSAGE = 1500  # characters


@dataclass(frozen=True)
class Target:
    """A reader of input.

    Attributes:
        inputs: its inputs.
        enter: reads one and checks the result; a ForecastError is a refusal.
        refuses: whether some of the inputs should be refused.
        tried: how many inputs of that kind a bounded run tries.
        seeds: valid inputs whose bytes are changed at random; none if it reads no bytes.
    """

    inputs: SearchStrategy[Any]
    enter: Callable[[Any], None]
    refuses: bool = True
    tried: int = 200
    seeds: tuple[bytes, ...] = ()


def try_one(target: Target, value: Any) -> bool:
    """Whether an input was accepted; errors other than our own are raised."""
    try:
        target.enter(value)
    except ForecastError as error:
        message = str(error)
        assert message, "a refusal that says nothing"
        assert "\n" not in message, message
        assert len(message) < LONGEST_MESSAGE, message
        return False
    return True


def answer(body: bytes) -> None:
    """PyPI Stats' answer."""
    counts = read_answer(body, "flask", mirrors=True, today=dt.date(2026, 11, 22))
    check_counts(counts)
    rows = [(row["date"], row["downloads"]) for row in json.loads(body)["data"]]
    days = pd.DatetimeIndex(counts.index).strftime("%Y-%m-%d")
    assert list(zip(days, counts.to_list(), strict=True)) == sorted(rows)


def artifact_list(parts: tuple[bytes, bytes, bytes, bytes, str]) -> None:
    """GitHub's list of artifacts, the run behind the newest, and its commit's place."""
    listed, run, reference, comparison, link = parts
    session = requests.Session()
    answers = {"artifacts": listed, "runs": run, "ref": reference, "compare": comparison}
    session.mount("http://", _Canned(answers, link))
    client = GitHubArtifacts(session, owner="owner", repo="repo", token="x", url="http://api.test")
    artifact = client.newest()
    assert artifact is not None
    assert type(artifact.id) is int
    assert artifact.created_at.tzinfo is not None
    assert artifact.digest.startswith("sha256:")
    assert len(artifact.digest) == 71
    assert 0 <= artifact.size <= 64 << 20
    tip = json.loads(reference)["object"]["sha"]
    assert artifact.head_sha == tip or json.loads(comparison)["status"] in {"behind", "identical"}


class _Canned(requests.adapters.BaseAdapter):
    """Answers from memory, by a part of the path; the list has a link as well."""

    def __init__(
        self, answers: dict[str, bytes], link: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__()
        self._answers, self._link, self._headers = answers, link, headers or {}

    def send(  # type: ignore[override] # how it is sent makes no difference
        self, request: requests.PreparedRequest, **_kwargs: Any
    ) -> requests.Response:
        path = urlsplit(str(request.url)).path.split("/")
        body = next(body for part, body in self._answers.items() if part in path)
        response = requests.Response()
        response.status_code = 200
        response.headers.update(self._headers)
        response.headers["Link"] = self._link if "artifacts" in path else ""
        response.raw = urllib3.HTTPResponse(io.BytesIO(body), preload_content=False)
        return response

    def close(self) -> None:
        pass


def attestation(blob: bytes) -> None:
    """An attestation as the blob store gives it, compressed or not."""
    with tempfile.TemporaryDirectory() as folder:
        verifier = ProvenanceVerifier(
            repository="owner/repo",
            workflow="upload_artifact.yml",
            branch="main",
            trusted_root=inputs.SIGSTORE.write_trusted_root(Path(folder) / "root.json"),
        )
        proven = verifier.verify(decompressed(blob), inputs.ARTIFACT)
    assert (proven.repository, proven.commit) == ("owner/repo", inputs.ARTIFACT.head_sha)


def zipped(data: bytes) -> None:
    """A zip with the right digest."""
    bundle = read_zip(data)
    check_bundle(bundle)
    assert files_of(bundle).keys() >= {"manifest.json", "history.csv", "forecasts.csv"}


def manifest(data: bytes) -> None:
    """A manifest."""
    read = parse_manifest(data)
    assert parse_manifest(read.dump()) == read
    assert 1 <= read.forecast_days <= 365
    assert all(re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", name) for name in read.packages)


def pickled(data: bytes) -> None:
    """A model's pickle."""
    model = pickling.loads(data)
    assert type(model) is Model
    forecast, totals = model.predict_with_totals(8)
    check_forecast(forecast)
    rows = [[days, *each.columns().values()] for days, each in totals.items()]
    check_totals(pd.DataFrame(rows, columns=["days", *TOTAL_COLUMNS]))
    assert np.isfinite(model.change())
    assert np.isfinite(model.day_off_losses(8)).all()
    assert pickling.loads(pickling.dumps(model)) == model


def picture(data: bytes) -> None:
    """A picture: what passes has nothing that runs, links or loads, for another parser too."""
    check_picture("flask.svg", data)
    for element in ET.fromstring(data).iter():
        assert element.tag.rpartition("}")[2] in ELEMENTS
        assert not any(re.match(r"(?i)on|.*href$|.*src$", key) for key in element.attrib)


def config(data: bytes) -> None:
    """A config.toml."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        path.write_bytes(data)
        read = load_config(path)
    assert type(read) is Config
    assert 1 <= read.forecast_days <= 90
    names = [package.name for package in read.packages]
    assert names
    assert len(set(names)) == len(names)
    assert all(1 <= m <= 31 for m in read.m_values)
    assert len(read.outages) < 10**7


def table(name: str, data: bytes) -> None:
    """A table of a bundle."""
    read = read_table(data, name)
    lines = data.count(b"\n") - 1
    assert {len(values) for values in read.values.values()} == {lines}
    assert sum(len(read.of(package)) for package in read.places) == lines
    for package in read.places:
        rows = read.of(package)
        assert set(rows["package"]) == {package}
        mine = [line for line in data.split(b"\n")[1:] if line.split(b",")[0] == package.encode()]
        assert len(rows) == len(mine)
        check_rows(name, rows)


def check_rows(name: str, rows: pd.DataFrame) -> None:
    """The properties of each table's values."""
    if name == "history.csv":
        check_counts(rows.set_index("date")["downloads"].astype("int64"))
    elif name == "totals.csv":
        check_totals(rows)
        assert (np.diff(rows["days"]) > 0).all()
    elif name in {"past_totals.csv", "total_record.csv"}:
        check_totals(rows)
        scores = rows[[column for column in ("downloads", "before") if column in rows]]
        assert (scores >= 0).all(axis=None)
    elif name == "track_record.csv":
        assert rows[["inside_80", "inside_95"]].isin([0, 1]).all(axis=None)
        assert np.isfinite(rows[["downloads", "forecast", "error", "naive_error"]]).all(axis=None)
    else:
        check_bands(rows)


def history(both: tuple[Histories, Histories]) -> None:
    """Counts of two runs, the first one as read from a bundle."""
    earlier, later = ({name: _series(days) for name, days in each.items()} for each in both)
    written = [history_rows(name, counts) for name, counts in earlier.items()]
    read = read_table(header("history.csv") + b"".join(written), "history.csv")
    kept = {name: read.of(name).set_index("date")["downloads"] for name in read.places}
    assert kept.keys() == {name for name, days in both[0].items() if days}
    for name in {**later, **kept}:
        counts = later[name] if name in later else kept[name]
        each = merge(kept.get(name), counts)
        check_counts(each.counts)
        before, after = both[0].get(name, {}), both[1].get(name, {})
        found = dict(
            zip(pd.DatetimeIndex(each.counts.index).date, each.counts.to_list(), strict=True)
        )
        assert found == {**before, **after}
        assert each.revised == sum(
            before[day] != after[day] for day in before.keys() & after.keys()
        )
        again = merge(each.counts, counts)
        assert again.counts.equals(each.counts)
        assert again.revised == 0


def _series(days: dict[dt.date, int]) -> pd.Series[int]:
    index = pd.DatetimeIndex([pd.Timestamp(day) for day in days])
    return pd.Series(list(days.values()), index=index, dtype="int64").sort_index()


def check_counts(counts: pd.Series[int]) -> None:
    """Integer counts from 0 on, by day; each day once, in order."""
    assert counts.dtype == "int64"
    assert (counts >= 0).all()
    index = pd.DatetimeIndex(counts.index)
    assert index.is_unique
    assert index.is_monotonic_increasing
    assert (index == index.normalize()).all()
    assert not index.hasnans


def check_bands(frame: pd.DataFrame) -> None:
    """Finite bands, one inside the other."""
    values = frame[list(BAND_COLUMNS)].to_numpy(dtype=np.float64)
    mean, median, low80, high80, low95, high95 = values.T
    assert np.isfinite(values).all()
    check_order(np.zeros_like(mean), low95, low80, median, high80, high95)
    check_order(low95, mean, high95)


def check_totals(frame: pd.DataFrame) -> None:
    """Finite bands around the mean."""
    mean, low80, high80, low95, high95 = frame[list(TOTAL_COLUMNS)].to_numpy(dtype=np.float64).T
    check_order(np.zeros_like(mean), low95, low80, mean, high80, high95)
    assert np.isfinite(high95).all()
    assert frame["days"].between(1, 90).all()


def check_order(*ascending: Any) -> None:
    assert all((one <= other).all() for one, other in itertools.pairwise(ascending))


def check_forecast(forecast: Any) -> None:
    """The same for the forecast of a model."""
    check_bands(pd.DataFrame({name: getattr(forecast, name) for name in BAND_COLUMNS}))


def check_bundle(bundle: Bundle) -> None:
    """Everything that the page would show for a bundle."""
    for name in bundle.names:
        check_counts(bundle.history(name))
        check_bands(bundle.forecast(name))
        assert len(bundle.forecast(name)) == bundle.manifest.forecast_days
        for model in _models(bundle, name):
            check_forecast(model.predict(3))
        totals = [[days, *each.columns().values()] for days, each in bundle.totals(name).items()]
        check_totals(pd.DataFrame(totals, columns=["days", *TOTAL_COLUMNS]))
    for name in bundle.observed:
        check_counts(bundle.history(name))
    for name in bundle.recorded:
        check_bands(bundle.tables[PAST].of(name))
        check_rows("track_record.csv", bundle.tables[TRACK].of(name))
        check_rows("total_record.csv", bundle.tables[TOTAL_TRACK].of(name))


def _models(bundle: Bundle, name: str) -> Iterator[Model]:
    try:
        yield bundle.model(name)
    except ForecastError:
        return  # the table of forecasts is used instead


def clickhouse(answer: tuple[bytes, str] | bytes) -> None:
    """ClickHouse's answer; what is let in of it adds up to its control total, and was all read."""
    whole = json.dumps(inputs.SUMMARY)
    body, summary = (answer, whole) if isinstance(answer, bytes) else answer
    session = requests.Session()
    headers = {"X-ClickHouse-Summary": summary}
    session.mount("http://", _Canned({"": body}, headers=headers))
    client = ClickHouse(
        session,
        today=lambda: dt.date(2026, 11, 22),
        url="http://clickhouse.test",
        retry=RetryPolicy(1, 0.0, 0.0, 0.0, 0.0),
    )
    found = dict(client.fetch(["flask", "requests"]))
    for counts in found.values():
        if isinstance(counts, DownloadsError):
            raise counts
        check_counts(counts)
    assert found.keys() == {"flask", "requests"}
    read = json.loads(summary)
    assert int(read["read_rows"]) >= int(read["total_rows_to_read"])
    rows = [line.rsplit(b"\t", 3) for line in body.splitlines()]
    assert {row[2] for row in rows} == {b"%d" % sum(int(row[1]) for row in rows)}


def csv_file(data: bytes) -> None:
    """A file of counts; what is read again from a plain file of the result is the same."""
    today = dt.date(2026, 11, 22)
    counts = read_counts(data, "flask.csv", today)
    check_counts(counts)
    assert not counts.empty
    assert counts.index[-1].date() <= today
    assert (counts <= LARGEST_COUNT).all()
    again = read_counts(counts.to_csv(date_format="%Y-%m-%d").encode(), "flask.csv", today)
    assert again.equals(counts)


def shown(data: bytes) -> None:
    """Any text on its way out."""
    text = data.decode("utf-8", "replace")
    line = clean(text)
    assert line.isprintable() or not line
    assert len(line) <= LONGEST
    assert not line.startswith("::")
    assert "##[" not in line
    assert "Zebra77x" not in clean(f"http://user:Zebra77x@host/{text}")
    assert "<" not in markup(text)


TARGETS: dict[str, Target] = {
    "answer": Target(inputs.ANSWERS, answer, tried=400, seeds=(inputs.dumped(inputs.ANSWER),)),
    "artifacts": Target(inputs.ARTIFACT_LISTS, artifact_list, tried=400),
    "attestation": Target(inputs.ATTESTATIONS, attestation, tried=40, seeds=tuple(inputs.ATTESTED)),
    "zip": Target(inputs.ZIPS, zipped, tried=120, seeds=(inputs.ZIPPED,)),
    "bundle": Target(inputs.BUNDLES, zipped, tried=250),
    "manifest": Target(
        inputs.MANIFESTS, manifest, tried=400, seeds=(inputs.FILES["manifest.json"],)
    ),
    "pickle": Target(inputs.PICKLES, pickled, tried=500, seeds=(inputs.PICKLE,)),
    "picture": Target(
        inputs.edited_bytes(inputs.PICTURE, 2), picture, tried=300, seeds=(inputs.PICTURE,)
    ),
    "config": Target(inputs.CONFIGS, config, tried=400, seeds=(inputs.CONFIG.encode(),)),
    **{
        name: Target(inputs.edited_bytes(true), partial(table, name), seeds=(true,))
        for name, true in inputs.TABLES.items()
    },
    "clickhouse": Target(inputs.BULK_ANSWERS, clickhouse, tried=150, seeds=(inputs.BULK,)),
    "csv": Target(inputs.CSV_FILES, csv_file, tried=400, seeds=(inputs.COUNTED,)),
    "part": Target(parts.forged_parts(), parts.part, tried=60),
    "run": Target(parts.forged_runs(), parts.run, tried=40),
    "text": Target(inputs.TEXTS, shown, refuses=False, tried=400, seeds=inputs.ODD_OUTPUT),
    "history": Target(inputs.MERGES, history, refuses=False, tried=50),
}
