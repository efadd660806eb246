"""The previous bundle: where to find it, and what a run carries over from it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from forecast.bands import Forecast
from forecast.bundle.manifest import PUBLIC, PackageEntry, PartEntry
from forecast.bundle.reader import extract, read_folder
from forecast.document.pictures import draw
from forecast.errors import BundleError
from forecast.github.newest import open_newest
from forecast.known import is_over
from trainer.engines.task import Product

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from forecast.bundle.manifest import Kind
    from forecast.bundle.reader import Bundle
    from forecast.config import Package
    from forecast.github.artifacts import GitHubArtifacts
    from trainer.plan import Plan

LONGEST_REASON = 500  # characters
ZIP, UNPACKED = "previous.zip", "previous"


def download(
    client: GitHubArtifacts,
    folder: Path,
    warn: Callable[[str], None],
    check: Callable[[Bundle], Bundle],
) -> Bundle:
    """The newest trusted artifact's bundle, or an older one's if that is corrupt or unfit.

    Args:
        client: lists and downloads.
        folder: of the run; the zip is kept there.
        warn: gets the reason if it is an older one, and the repository's new name if it has one.
        check: raises a BundleError if a bundle is unfit.

    Raises:
        ArtifactError: if there is none.
        BundleError: if what was downloaded is no bundle.
    """
    artifact = client.newest()
    if client.moved:
        warn(client.moved)
    if artifact is None:
        raise BundleError("GitHub says that nothing has changed, and nothing was read before")

    def read(data: bytes) -> Bundle:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ZIP).write_bytes(data)
        return check(unpack(folder))

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
    """Remove what ``download`` has kept."""
    shutil.rmtree(folder / UNPACKED, ignore_errors=True)
    (folder / ZIP).unlink(missing_ok=True)


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
            f"{manifest.source} with mirrors = {manifest.mirrors}: set source and mirrors in "
            "config.toml as they were"
        )
    return previous


def predecessor(
    previous: Bundle | None, name: str, plan: Plan, parts: tuple[PartEntry, ...] = ()
) -> Bundle | None:
    """The previous bundle, unless its series of this name is the sum of other packages.

    Args:
        previous: the previous bundle.
        name: of a package or a group.
        plan: has the parts of the config.
        parts: those of a group that was added up now.
    """
    if previous is None or name not in plan.parts:
        return previous
    entry = previous.manifest.packages.get(name)
    before = entry.parts if entry else ()
    if parts:
        same = {part.name for part in before if not part.missing} == {
            part.name for part in parts if not part.missing
        }
    else:
        same = {part.name for part in before} == set(plan.parts[name])
    return previous if same else None


def carry_over(
    previous: Bundle | None, package: Package, reason: str, plan: Plan
) -> tuple[PackageEntry, Product | None]:
    """The entry and the earlier product of a package that was not trained, for this reason."""
    failed = PackageEntry(
        label=package.label,
        title=package.title,
        parts=tuple(PartEntry(name=part) for part in plan.parts.get(package.name, ())),
        status="failed",
        reason=_short(reason),
    )
    if previous is None or package.name not in previous.modelled:
        return failed, None
    entry = previous.entry(package.name)
    trained_at = entry.trained_at or previous.manifest.created_at
    try:
        model = previous.model(package.name)
    except BundleError as error:
        return failed.model_copy(update={"reason": _short(f"{reason}; {error}")}), None
    since = f"{reason}; the model of {trained_at:%Y-%m-%d} goes on serving"
    stopped = entry.no_counts_since
    if not stopped and is_over(model.last_day, plan.forecast_days, plan.created_at.date()):
        stopped = model.last_day
    update = {
        "label": package.label,
        "title": package.title,
        "no_counts_since": stopped,
        "status": "carried",
        "reason": _short(since),
        "trained_at": trained_at,
    }
    told_before = entry.no_counts_since == stopped
    entry = entry.model_copy(update=update)
    name, days, data = package.name, plan.forecast_days, previous.pickle(package.name)
    if previous.manifest.forecast_days != days or not told_before:
        forecast, totals = model.predict_with_totals(days)
        pictures = draw(name, package.shown, model, forecast, totals, stopped=stopped)
        return entry, Product(entry, data, forecast, totals, pictures)
    table = previous.forecast(name)
    forecast = Forecast.of(table.index[0].date(), table)
    return entry, Product(entry, data, forecast, previous.totals(name), _pictures(previous, name))


def _pictures(previous: Bundle, name: str) -> Mapping[str, str]:
    """The published pictures of a package."""
    names = f"{name}.svg", f"{name}.badge.svg"
    found = {file: picture for file in names if (picture := previous.picture(file))}
    return {file: picture.decode() for file, picture in found.items()}


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"
