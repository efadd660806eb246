"""The bundle in use: fetched in the background, checked, replaced as a whole.

A :class:`Snapshot` never changes; the store replaces its attribute ``snapshot``. So no
reader sees a mixture of two bundles.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from app.data.catalogue import Catalogue
from forecast.bundle.manifest import MANIFEST
from forecast.bundle.reader import read_models
from forecast.config import Package
from forecast.errors import ArtifactError, BundleError, ForecastError
from forecast.github.newest import MOST_OLDER, open_newest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast.bundle.manifest import Manifest
    from forecast.bundle.reader import Bundle
    from forecast.config import Config
    from forecast.github.artifact import Artifact, Provenance
    from forecast.github.newest import Artifacts

log = logging.getLogger(__name__)

CHECK_EVERY = 15 * 60.0  # seconds between two checks for a newer bundle
MAX_PAUSE = 6 * 3600.0  # seconds until the next check, even if GitHub asks for more


class BundleSource(Protocol):
    """Where bundles come from.

    Attributes:
        problem: why the last bundle returned is not the newest one published; empty if it is.
        provenance: of its artifact; None if nothing was verified.
    """

    problem: str
    provenance: Provenance | None

    def newest(self) -> Bundle | None:
        """The newest bundle; None if it was returned before.

        Raises:
            ForecastError: if there is none.
        """


class ArtifactSource:
    """Bundles from GitHub.

    If the newest artifact is refused, the bundle in use stays; if there is none yet, the
    newest valid one before it is returned.

    Args:
        client: finds and downloads artifacts.
    """

    def __init__(self, client: Artifacts) -> None:
        self.provenance: Provenance | None = None
        self._client = client
        self.problem = ""
        self._newest: Artifact | None = None
        self._refusals: dict[int, str] = {}  # reasons by artifact id
        self._serving = False
        self._moved = ""

    def newest(self) -> Bundle | None:
        """See :class:`BundleSource`.

        Raises:
            ArtifactError: if GitHub has none, or does not answer.
            BundleError: if the newest one fails a check; it is not downloaded again.
        """
        artifact = self._client.newest()
        if self._client.moved and not self._moved:
            self._moved = self._client.moved
            log.warning("%s", self._moved)
        if artifact is not None:
            self._newest = artifact
        elif self._newest is None or self._newest.id not in self._refusals:
            return None
        try:
            published = open_newest(
                self._client,
                self._newest,
                older=0 if self._serving else MOST_OLDER,
                known=self._refusals,
            )
        except BundleError as error:
            raise BundleError(_refused(str(error))) from None
        self.problem = _refused(published.refusal) if published.refusal else ""
        self.provenance = published.artifact.provenance
        self._serving = True
        return published.bundle


def _refused(why: str) -> str:
    return f"The newest artifact was refused: {why.rstrip('.')}. Run the workflow again."


class FolderSource:
    """A bundle in a folder, read again when its manifest changes.

    Args:
        folder: the output folder of a training run.
    """

    def __init__(self, folder: Path) -> None:
        self.provenance: Provenance | None = None
        self._folder = folder
        self.problem = ""
        self._seen: bytes | None = None

    def newest(self) -> Bundle | None:
        """See :class:`BundleSource`.

        Raises:
            BundleError: if the folder holds no valid bundle.
        """
        manifest = self._manifest()
        if manifest == self._seen:
            return None
        try:
            bundle = read_models(self._folder, in_memory=True)
        except BundleError:
            if self._manifest() == manifest:
                raise
            # Another bundle replaced it while it was read.
            bundle = read_models(self._folder, in_memory=True)
        self._seen = manifest
        return bundle

    def _manifest(self) -> bytes:
        try:
            return (self._folder / MANIFEST).read_bytes()
        except OSError as error:
            raise BundleError(
                f"MODELS_DIR is {self._folder}, which holds no bundle ({MANIFEST}: "
                f"{error.strerror}): make one with `python -m trainer --output {self._folder}`"
            ) from None


@dataclass(frozen=True)
class Snapshot:
    """The state of the store at one moment.

    Attributes:
        bundle: the last valid one; None before the first.
        problem: why there is none, or no newer one; empty without a problem.
        looked: whether the first check for a bundle is over.
        provenance: of the bundle's artifact; None if nothing was verified.
    """

    bundle: Bundle | None = None
    problem: str = ""
    looked: bool = False
    provenance: Provenance | None = None

    @property
    def manifest(self) -> Manifest | None:
        """Of the bundle; None without one."""
        return self.bundle.manifest if self.bundle else None


class Store:
    """Holds the newest bundle, and checks for newer ones in a thread.

    Args:
        config: lists the packages.
        source: where bundles come from.
        every: seconds between two checks for a newer one.

    Attributes:
        configured: names of the config's packages.
        snapshot: the current one; read it once for each response.
        notify: called with each new bundle, in the thread that found it.
    """

    def __init__(
        self,
        config: Config,
        source: BundleSource,
        *,
        every: float = CHECK_EVERY,
    ) -> None:
        self.config = config
        self.configured = frozenset(package.name for package in config.everything)
        self.snapshot = Snapshot()
        self.notify: Callable[[Bundle], None] = lambda _bundle: None
        self._source = source
        self._every = every
        self._catalogue = (self.snapshot.bundle, _catalogue(config, None))
        self._looked = threading.Event()

    @property
    def catalogue(self) -> Catalogue:
        """The packages on offer: the config's, then others that the bundle has."""
        bundle = self.snapshot.bundle
        made_for, catalogue = self._catalogue
        if made_for is not bundle:
            catalogue = _catalogue(self.config, bundle)
            self._catalogue = (bundle, catalogue)
        return catalogue

    def wait(self, seconds: float) -> Snapshot:
        """The snapshot, after the first check or after these seconds."""
        self._looked.wait(seconds)
        return self.snapshot

    def refresh(self) -> float:
        """Check for a newer bundle; on failure the old one stays.

        Returns:
            Seconds to wait before the next check.
        """
        pause = self._every
        try:
            bundle = self._source.newest()
        except ArtifactError as error:
            pause = min(max(pause, error.retry_after), MAX_PAUSE)
            self._fail(str(error))
        except ForecastError as error:
            self._fail(str(error))
        except Exception as error:  # the thread must go on, and the page must show an error
            log.exception("looking for a newer bundle failed")
            self._fail(
                f"Looking for a newer bundle failed unexpectedly ({type(error).__name__}); "
                "the app's log has the details."
            )
        else:
            self._succeed(bundle)
        self._looked.set()
        return pause

    def start(self) -> threading.Thread:
        """Check now and regularly, in a thread that ends with the process."""
        thread = threading.Thread(target=self._keep_checking, name="refresh", daemon=True)
        thread.start()
        return thread

    def _keep_checking(self) -> None:
        while True:
            time.sleep(self.refresh())

    def _fail(self, problem: str) -> None:
        log.warning("%s", problem)
        self.snapshot = replace(self.snapshot, problem=problem, looked=True)

    def _succeed(self, bundle: Bundle | None) -> None:
        if bundle is None:
            self.snapshot = replace(self.snapshot, problem="", looked=True)
            return
        problem = self._source.problem
        if problem:
            log.warning("%s", problem)
        self.snapshot = Snapshot(
            bundle=bundle, problem=problem, looked=True, provenance=self._source.provenance
        )
        made = bundle.manifest.created_at
        log.info("%d models of %s are in use", len(bundle.names), made.isoformat())
        try:
            self.notify(bundle)
        except Exception:  # the new bundle is in use already
            log.exception("preparing the new bundle failed")


def _catalogue(config: Config, bundle: Bundle | None) -> Catalogue:
    known = {package.name: package for package in config.everything}
    for name, entry in bundle.modelled.items() if bundle else ():
        known.setdefault(name, Package(name, entry.label, entry.title))
    return Catalogue(known.values())
