"""Downloads the newest valid bundle, an older one if the newest is damaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from forecast.bundle.reader import read_zip
from forecast.errors import ArtifactError, BundleError, CorruptArtifactError
from forecast.github.api import TransientArtifactError

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast.bundle.reader import Bundle
    from forecast.github.artifact import Artifact

MOST_OLDER = 3  # artifacts tried after the newest one; each is downloaded whole


class Artifacts(Protocol):
    """The methods of ``forecast.github.artifacts.GitHubArtifacts`` that the programs use."""

    @property
    def moved(self) -> str:
        """What to change if the repository has another name now."""

    def newest(self) -> Artifact | None:
        """The newest trusted artifact, None if unchanged."""

    def older(self, artifact: Artifact) -> Artifact:
        """The newest trusted artifact of those made before."""

    def download(self, artifact: Artifact) -> bytes:
        """Its zip."""


@dataclass(frozen=True)
class Published:
    """A bundle, its artifact, and why a newer one was refused; empty if it is the newest."""

    bundle: Bundle
    artifact: Artifact
    refusal: str = ""


def open_newest(
    client: Artifacts,
    newest: Artifact,
    *,
    older: int = MOST_OLDER,
    known: dict[int, str] | None = None,
    read: Callable[[bytes], Bundle] = read_zip,
) -> Published:
    """Download and read an artifact, or else the newest valid one before it.

    Args:
        client: downloads.
        newest: to be tried first.
        older: how many more to try.
        known: artifacts that failed to open, with the reason; they are not downloaded again.
        read: makes a bundle of a zip, or raises a BundleError.

    Raises:
        BundleError: neither this bundle nor an older one is valid.
        ArtifactError: no artifact could be downloaded.
    """
    known = {} if known is None else known
    try:
        return Published(_open(client, newest, known, read), newest)
    except (BundleError, CorruptArtifactError) as error:
        refused = error
    artifact = newest
    for _ in range(older):
        try:
            artifact = client.older(artifact)
            bundle = _open(client, artifact, known, read)
        except (BundleError, CorruptArtifactError):
            continue
        except ArtifactError as error:
            if isinstance(error, TransientArtifactError) or error.retry_after:
                raise  # an older one may be valid: a retry can tell
            break
        return Published(bundle, artifact, str(refused))
    raise refused


def _open(
    client: Artifacts,
    artifact: Artifact,
    known: dict[int, str],
    read: Callable[[bytes], Bundle],
) -> Bundle:
    if artifact.id in known:
        raise BundleError(known[artifact.id])
    data = client.download(artifact)
    try:
        return read(data)
    except BundleError as error:
        known[artifact.id] = str(error)
        raise
