"""The previous bundle: where to find it, and what a run carries over from it."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from forecast.bands import Forecast
from forecast.bundle.manifest import PUBLIC, PackageEntry
from forecast.bundle.reader import extract, read_folder
from forecast.errors import BundleError
from forecast.github.newest import open_newest
from trainer.engines.task import Product
from trainer.reports.pictures import badge, chart

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from forecast.bundle.manifest import Kind
    from forecast.bundle.reader import Bundle
    from forecast.config import Package
    from forecast.github.artifacts import GitHubArtifacts
    from forecast.model.ensemble import Model
    from trainer.plan import Plan

LONGEST_REASON = 500  # characters
ZIP, UNPACKED = "previous.zip", "previous"


def download(client: GitHubArtifacts, folder: Path, warn: Callable[[str], None]) -> Bundle:
    """The newest trusted artifact's bundle, or an older one's if that is corrupt.

    Args:
        client: lists and downloads.
        folder: of the run; the zip is kept there.
        warn: gets the reason if it is an older one.

    Raises:
        ArtifactError: if there is none.
        BundleError: if what was downloaded is no bundle.
    """
    artifact = client.newest()
    if artifact is None:
        raise BundleError("GitHub says that nothing has changed, and nothing was read before")

    def read(data: bytes) -> Bundle:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ZIP).write_bytes(data)
        return unpack(folder)

    published = open_newest(client, artifact, read=read)
    if published.refusal:
        made = published.bundle.manifest.created_at
        warn(f"going on from the bundle of {made:%Y-%m-%d}, for a newer one: {published.refusal}")
    return published.bundle


def unpack(folder: Path) -> Bundle:
    """The bundle that ``download`` has kept; its tables are read from the disk as needed.

    Raises:
        BundleError: if it is no bundle.
    """
    shutil.rmtree(folder / UNPACKED, ignore_errors=True)
    (folder / UNPACKED).mkdir()
    extract((folder / ZIP).read_bytes(), folder / UNPACKED)
    return read_folder(folder / UNPACKED)


def forget(folder: Path) -> None:
    """Remove what ``download`` has kept, and the folder if nothing else is in it."""
    shutil.rmtree(folder / UNPACKED, ignore_errors=True)
    (folder / ZIP).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def digest(bundle: Bundle) -> str:
    """SHA-256 of the manifest, which names the digests of all files."""
    return hashlib.sha256(bundle.manifest.dump()).hexdigest()


def reopen(folder: Path, plan: Plan) -> Bundle | None:
    """The bundle that a run continues from, in a later phase; None if there is none.

    Raises:
        BundleError: if it is no longer there, or is another one.
    """
    if not plan.previous:
        return None
    bundle = read_folder(Path(plan.previous_folder)) if plan.previous_folder else unpack(folder)
    if digest(bundle) != plan.previous:
        raise BundleError("the bundle to go on from is another one by now; fetch again")
    return bundle


def check_kind(previous: Bundle, *, kind: Kind, mirrors: bool) -> Bundle:
    """Refuse a bundle whose counts are not comparable with this run's.

    Raises:
        BundleError: if they come from another source, or with another setting of mirrors.
    """
    manifest = previous.manifest
    same = manifest.source == kind or {manifest.source, kind} <= PUBLIC
    if not same or manifest.mirrors != mirrors:
        raise BundleError(
            f"expected counts of {kind} with mirrors = {mirrors}; the previous bundle has "
            f"{manifest.source} with mirrors = {manifest.mirrors}"
        )
    return previous


def carry_over(
    previous: Bundle | None, package: Package, reason: str, plan: Plan
) -> tuple[PackageEntry, Product | None]:
    """The entry and the earlier product of a package that was not trained, for this reason."""
    failed = PackageEntry(label=package.label, status="failed", reason=_short(reason))
    if previous is None or package.name not in previous.modelled:
        return failed, None
    entry = previous.entry(package.name)
    trained_at = entry.trained_at or previous.manifest.created_at
    try:
        model = previous.model(package.name)
    except BundleError as error:
        return failed.model_copy(update={"reason": _short(f"{reason}; {error}")}), None
    since = f"{reason}; the model of {trained_at:%Y-%m-%d} goes on serving"
    update = {
        "label": package.label,
        "status": "carried",
        "reason": _short(since),
        "trained_at": trained_at,
    }
    entry = entry.model_copy(update=update)
    forecast = _forecast(previous, package.name, model, plan.forecast_days)
    pictures = _pictures(previous, package, model, forecast)
    return entry, Product(entry, previous.pickle(package.name), forecast, pictures)


def _forecast(previous: Bundle, name: str, model: Model, days: int) -> Forecast:
    """The published forecast; for another horizon the model makes a new one."""
    if previous.manifest.forecast_days != days:
        return model.predict(days)
    table = previous.forecast(name)
    return Forecast.of(table.index[0].date(), table)


def _pictures(
    previous: Bundle, package: Package, model: Model, forecast: Forecast
) -> Mapping[str, str]:
    names = f"{package.name}.svg", f"{package.name}.badge.svg"
    found = {name: picture for name in names if (picture := previous.picture(name))}
    days = len(forecast.mean)
    if previous.manifest.forecast_days == days:
        return {name: picture.decode() for name, picture in found.items()}
    total = model.total(days)
    return dict(
        zip(
            names,
            (chart(package.label, model, forecast, total), badge(package.label, total, days)),
            strict=True,
        )
    )


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"
