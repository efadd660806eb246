"""The bundle of the run before: where to find it, and what a run takes over from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast.errors import BundleError
from forecast.manifest import PackageEntry
from forecast.published import open_newest

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast.artifacts import GitHubArtifacts
    from forecast.bundle import Bundle
    from forecast.config import Package
    from forecast.model import Model

NOT_ASKED = "not asked for in this run"
LONGEST_REASON = 500  # characters


def newest_published(client: GitHubArtifacts, warn: Callable[[str], None]) -> Bundle:
    """The newest trusted artifact's bundle, or an older one's where that is corrupt.

    Args:
        client: lists and downloads.
        warn: told why it is an older one.

    Raises:
        ArtifactError: if there is none to be had.
        BundleError: if what came is no bundle.
    """
    artifact = client.newest()
    if artifact is None:
        raise BundleError("GitHub says that nothing has changed, and nothing was read before")
    published = open_newest(client, artifact)
    if published.refusal:
        made = published.bundle.manifest.created_at
        warn(f"going on from the bundle of {made:%Y-%m-%d}, for a newer one: {published.refusal}")
    return published.bundle


def check_kind(previous: Bundle, *, kind: str, mirrors: bool) -> Bundle:
    """Refuse a bundle whose counts mean something else than this run's.

    Raises:
        BundleError: if they come from another source, or mirrors are counted otherwise.
    """
    manifest = previous.manifest
    if (manifest.source, manifest.mirrors) != (kind, mirrors):
        raise BundleError(
            f"expected counts of {kind} with mirrors = {mirrors}; the previous bundle has "
            f"{manifest.source} with mirrors = {manifest.mirrors}"
        )
    return previous


def carry_over(
    previous: Bundle | None, package: Package, reason: str
) -> tuple[PackageEntry, Model | None]:
    """The entry and the model of a package that was not trained now, for this reason."""
    failed = PackageEntry(label=package.label, status="failed", reason=_short(reason))
    if previous is None or package.name not in previous.names:
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
    return entry.model_copy(update=update), model


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"
