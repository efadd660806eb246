"""What the rows of the table can break: servers, a clock, and the published bundles."""

from __future__ import annotations

import datetime as dt
import io
import json
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

import pandas as pd
from cramjam import snappy

from forecast.bundle.reader import digest
from forecast.errors import SeriesError
from tests.bundles import CREATED_AT, LAST_DAY, consistent, counts, files_of, make_bundle, zip_of
from tests.standins.clickhouse import TABLE
from tests.standins.github import job_of
from tests.standins.sigstore import Build, Sigstore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast.bundle.reader import Bundle
    from tests.standins.clickhouse import ClickHouseServer
    from tests.standins.github import GitHubServer, StoredArtifact
    from tests.standins.pypistats import PyPIStatsServer

ALWAYS = 99  # times; more than there are requests
WEEK = dt.timedelta(days=7)
PACKAGES = ("flask", "requests", "django")
OWNED = "owned"  # the file that a pickle would write if it could


def no_search(*_: Any) -> NoReturn:
    """Replaces the search on demand: packages outside the bundle are not available."""
    raise SeriesError("is not searched here")


@cache
def good_bundle() -> Bundle:
    """The newest artifact's bundle, without a fault."""
    return make_bundle(PACKAGES)


@cache
def last_weeks_bundle() -> Bundle:
    """The bundle of the artifact of one week before."""
    return make_bundle(PACKAGES, last_day=LAST_DAY - WEEK, created_at=CREATED_AT - WEEK)


@cache
def good_files() -> Mapping[str, bytes]:
    """The files of the good bundle."""
    return MappingProxyType(files_of(good_bundle()))


@cache
def good_zip() -> bytes:
    """The zip of the good bundle."""
    return zip_of(good_files())


@cache
def last_weeks_zip() -> bytes:
    """The zip of last week's bundle."""
    return zip_of(last_weeks_bundle())


@cache
def sigstore() -> Sigstore:
    """The Sigstore that signs for the workflow."""
    return Sigstore()


@dataclass
class World:
    """Everything that a row may break.

    Attributes:
        github: GitHub, with a bundle of last week.
        pypistats: PyPI Stats, with counts through yesterday.
        now: what the clock says.
        clickhouse: ClickHouse with the same counts, where it is asked.
    """

    github: GitHubServer
    pypistats: PyPIStatsServer
    now: dt.datetime = CREATED_AT
    clickhouse: ClickHouseServer | None = None

    def publish(
        self, zipped: bytes | None = None, attest: Attest | None = None, **artifact: Any
    ) -> StoredArtifact:
        """Put a newer artifact into the list; by default a valid one.

        ``attest`` makes its attestation, empty for none.
        """
        if zipped is None:  # each run makes other bytes and has its own attestation
            zipped = marked(good_zip(), len(self.github.artifacts))
        return self.github.add_artifact(zipped, attest=attest or attestation, **artifact)

    def publish_last_weeks(self) -> StoredArtifact:
        """Put the first bundle into the list."""
        return self.publish(last_weeks_zip())

    def serve_counts(self) -> None:
        """Give PyPI Stats the counts of every package through yesterday."""
        for n, name in enumerate(PACKAGES):
            series = counts(LAST_DAY, days=100, size=1000 * (1 + n))
            self.pypistats.series[name] = {day.date(): int(c) for day, c in series.items()}

    def fill_clickhouse(self, settings: str = "") -> None:
        """Give ClickHouse the same counts as PyPI Stats, and nothing else."""
        self.clickhouse.engine.query(TABLE + settings)
        self.clickhouse.fill({name: pd.Series(s) for name, s in self.pypistats.series.items()})


def attestation(
    stored: StoredArtifact, *, by: Callable[[], Sigstore] = sigstore, of: str = "", **build: Any
) -> dict[str, Any]:
    """The attestation of an artifact; ``of`` another digest, ``by`` another Sigstore."""
    ours = Build(stored.run["head_sha"], stored.run_id)
    return by().attest(of or stored.listed["digest"], replace(ours, **build))


def changed_attestation(stored: StoredArtifact) -> dict[str, Any]:
    """An attestation whose statement was replaced after signing."""
    bundle, other = attestation(stored), attestation(stored, of="sha256:" + "0" * 64)
    bundle["dsseEnvelope"]["payload"] = other["dsseEnvelope"]["payload"]
    return bundle


Attest = Callable[["StoredArtifact"], "dict[str, Any] | bytes"]
Inflict = Callable[[World], object]


def github(route: str, fault: Any, **headers: str) -> Inflict:
    """A fault in GitHub's answers."""
    return lambda world: world.github.fail(route, fault, ALWAYS, **headers)


def moved_on(inflict: Inflict) -> Inflict:
    """A fault while the branch has a newer commit than the artifact's."""

    def both(world: World) -> None:
        world.github.commit("a" * 40)
        inflict(world)

    return both


def limit(kind: str, route: str = "*") -> Inflict:
    """One form of GitHub's rate limit."""
    return lambda world: world.github.limit(kind, route=route, times=ALWAYS)


def artifact(zipped: bytes | Callable[[], bytes] | None = None, **fields: Any) -> Inflict:
    """A newer artifact with a fault."""
    return lambda world: world.publish(zipped() if callable(zipped) else zipped, **fields)


def of_no_run(world: World) -> None:
    """A newer artifact whose entry in the list names no run, as the description allows."""
    world.publish(b"evil").listed["workflow_run"] = {}


def recreated(world: World) -> None:
    """A newer artifact of another repository that has taken the name."""
    stored = world.publish(b"evil")
    stored.listed["workflow_run"].update(repository_id=7, head_repository_id=7)
    stored.run.update(repository={"id": 7, "owner": {"id": 8}}, head_repository={"id": 7})


def renamed(world: World) -> None:
    """The repository gets another name; the one before is redirected."""
    world.github.rename("another-name")


def run_again(conclusion: str | None, zipped: bytes | None = None) -> Inflict:
    """The run of the newest artifact is run again, and uploads another one; None: under way."""

    def inflict(world: World) -> None:
        first = world.github.artifacts[-1]
        second = world.publish(zipped)
        made = dt.datetime.fromisoformat(second.listed["created_at"])
        first.jobs.append(job_of(made, conclusion, attempt=2))
        status = "in_progress" if conclusion is None else "completed"
        first.run.update(run_attempt=2, status=status, conclusion=conclusion)
        second.run, second.run_id, second.jobs = first.run, first.run_id, first.jobs
        second.listed["workflow_run"] = first.listed["workflow_run"]

    return inflict


def pypistats(fault: Any, *packages: str, times: int = ALWAYS, **headers: str) -> Inflict:
    """A fault in PyPI Stats' answers for the named packages, or for all if none is named."""

    def inflict(world: World) -> None:
        for package in packages or PACKAGES:
            world.pypistats.fail(package, fault, times, **headers)

    return inflict


def clickhouse(fault: Any, times: int = ALWAYS) -> Inflict:
    """A fault in ClickHouse's answers."""
    return lambda world: world.clickhouse.fail(fault, times)


def cut_off(**limits: str) -> Inflict:
    """A limit of ClickHouse's cuts the answer off without a word, as blocks are small."""

    def inflict(world: World) -> None:
        world.fill_clickhouse(" SETTINGS index_granularity = 16")
        world.clickhouse.limits.update({"max_block_size": "16", "max_threads": "1", **limits})

    return inflict


def forgotten(*packages: str) -> Inflict:
    """ClickHouse has no row of some packages."""

    def inflict(world: World) -> None:
        for package in packages:
            del world.pypistats.series[package]
        world.fill_clickhouse()

    return inflict


def clock(now: dt.datetime) -> Inflict:
    """A wrong clock."""

    def inflict(world: World) -> None:
        world.now = now

    return inflict


def closed(server: str) -> Inflict:
    """Close the server's socket."""
    return lambda world: getattr(world, server).close()


def end_counts(world: World, days: int) -> None:
    """Make PyPI Stats' newest counts so many days old; today is 0."""
    last = world.now.date() - dt.timedelta(days=days)
    for name, series in world.pypistats.series.items():
        world.pypistats.series[name] = {day: c for day, c in series.items() if day <= last}


def end_bulk_counts(world: World, days: int) -> None:
    """The same for ClickHouse."""
    end_counts(world, days)
    world.fill_clickhouse()


def without_artifacts(world: World) -> None:
    """Remove every artifact."""
    world.github.artifacts.clear()
    world.github._order.clear()


def corrupt(world: World) -> None:
    """Replace every artifact by bytes that are no zip, with a matching digest."""
    for stored in world.github.artifacts:
        stored.zipped = b"PK"
        stored.listed["digest"] = f"sha256:{digest(b'PK')}"


def expire(world: World) -> None:
    """Make every artifact expired."""
    for stored in world.github.artifacts:
        stored.listed["expired"] = True


# Zips that are none of ours


def marked(zipped: bytes, number: int) -> bytes:
    """The same zip with other bytes."""
    buffer = io.BytesIO(zipped)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = str(number).encode()
    return buffer.getvalue()


def with_files(**changed: bytes) -> bytes:
    """A bundle with changed files and their digests in the manifest; ``__`` is a dot."""
    return consistent(good_files(), changed)


def replaced(name: str, old: str, new: str) -> bytes:
    """A bundle with the first match of a pattern replaced in one table."""
    data, found = re.subn(old, new, good_files()[name].decode(), count=1)
    if not found:
        raise AssertionError(f"{name} has no {old!r} to replace")
    return with_files(**{name.replace(".", "__"): data.encode()})


def forecasting(values: str) -> bytes:
    """A bundle that says this of the first day: mean, median, 80 % and 95 % band."""
    return replaced("forecasts.csv", r"(flask,2026-11-22),.*", rf"\1,{values}")


def with_manifest(**fields: Any) -> bytes:
    """A bundle with a changed manifest."""
    document = json.loads(good_files()["manifest.json"]) | fields
    return zip_of({**good_files(), "manifest.json": json.dumps(document).encode()})


def with_member(name: str, data: bytes = b"x") -> bytes:
    """A bundle with an additional member."""
    return zip_of({**good_files(), name: data})


def duplicated() -> bytes:
    """A bundle with one member twice."""
    buffer = io.BytesIO(good_zip())
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("flask.pkl", b"x")
    return buffer.getvalue()


def encrypted() -> bytes:
    """A bundle whose members are marked as encrypted."""
    data = bytearray(good_zip())
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        data[at + 8] |= 1
        at = data.find(b"PK\x01\x02", at + 4)
    return bytes(data)


def linked() -> bytes:
    """A bundle with a member that is a symbolic link."""
    buffer = io.BytesIO(good_zip())
    with zipfile.ZipFile(buffer, "a") as archive:
        link = zipfile.ZipInfo("link.pkl")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return buffer.getvalue()


def bomb(*, lying: bool) -> bytes:
    """Zeros that unpack to a gigabyte; the directory may say that they are few."""
    size = (1 << 30) if not lying else (64 << 20)
    buffer = io.BytesIO(zip_of({"manifest.json": good_files()["manifest.json"]}))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        names = [name for name in good_files() if name != "manifest.json"]
        for name in names:
            with archive.open(name, "w") as member:
                chunks = size // len(names) // (1 << 20) if lying else 1
                for _ in range(chunks):
                    member.write(bytes(1 << 20))
    data = bytearray(buffer.getvalue())
    at = data.find(b"PK\x01\x02", data.find(b"PK\x01\x02") + 4)
    while at >= 0:
        claimed = 1000 if lying else size // len(names)
        data[at + 24 : at + 28] = claimed.to_bytes(4, "little")
        at = data.find(b"PK\x01\x02", at + 4)
    return bytes(data)


def snappy_bomb() -> bytes:
    """Zeros that unpack to 64 MB, as an attestation in the blob store."""
    return bytes(snappy.compress_raw(bytes(64 << 20)))[: 1 << 19]


class _Call:
    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def code(function: Callable[..., object], *arguments: object) -> bytes:
    """A bundle with a model whose pickle calls a function."""
    return with_files(flask__pkl=pickle.dumps(_Call(function, *arguments)))
