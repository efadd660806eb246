"""The bundle in use: looked for in the background, checked, swapped whole.

A :class:`Snapshot` never changes; the store's one attribute ``snapshot`` is
replaced by another. Whoever took one can go on reading it, and no visitor sees
half of the old bundle and half of the new.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from app.data.catalogue import Catalogue
from forecast.bundle.manifest import MANIFEST
from forecast.bundle.reader import read_folder
from forecast.config import Package
from forecast.errors import ArtifactError, BundleError, ForecastError
from forecast.github.newest import MOST_OLDER, open_newest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast.bundle.reader import Bundle
    from forecast.config import Config
    from forecast.github.artifact import Artifact, Provenance
    from forecast.github.newest import Artifacts

log = logging.getLogger(__name__)

CHECK_EVERY = 15 * 60.0  # seconds between two looks for a newer bundle
LONGEST_REST = 6 * 3600.0  # seconds; whatever GitHub asks for, look again after that


class Source(Protocol):
    """Where bundles come from.

    Attributes:
        problem: why the bundle that came last is not the newest; empty if it is.
        provenance: what was verified of it; None if nothing was.
    """

    problem: str
    provenance: Provenance | None

    def newest(self) -> Bundle | None:
        """The newest bundle; None if it is the one that came last.

        Raises:
            ForecastError: if there is none to be had.
        """


class ArtifactSource:
    """Bundles from GitHub.

    Where the newest artifact is no whole bundle, the one in use stays; if there is none
    yet, the newest good one before it is taken.

    Args:
        client: finds the newest artifact that can be trusted.
    """

    def __init__(self, client: Artifacts) -> None:
        self.provenance: Provenance | None = None
        self._client = client
        self.problem = ""
        self._newest: Artifact | None = None
        self._known: dict[int, str] = {}  # what was no bundle, and why
        self._serving = False

    def newest(self) -> Bundle | None:
        """See :class:`Source`.

        Raises:
            ArtifactError: if GitHub gives none.
            BundleError: if the newest one fails a check; it is not downloaded again.
        """
        artifact = self._client.newest()
        if artifact is not None:
            self._newest = artifact
        elif self._newest is None or self._newest.id not in self._known:
            return None
        try:
            published = open_newest(
                self._client,
                self._newest,
                older=0 if self._serving else MOST_OLDER,
                known=self._known,
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
    """A bundle in a folder, read again when its manifest has changed.

    Args:
        folder: where a training run put it.
    """

    def __init__(self, folder: Path) -> None:
        self.provenance: Provenance | None = None
        self._folder = folder
        self.problem = ""
        self._seen: bytes | None = None

    def newest(self) -> Bundle | None:
        """See :class:`Source`.

        Raises:
            BundleError: if the folder holds no whole bundle.
        """
        manifest = self._manifest()
        if manifest == self._seen:
            return None
        try:
            bundle = read_folder(self._folder, in_memory=True)
        except BundleError:
            if self._manifest() == manifest:
                raise
            # Another bundle was put in its place while this one was read.
            bundle = read_folder(self._folder, in_memory=True)
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
    """What is known at one moment.

    Attributes:
        bundle: the last good one; None before there was any.
        problem: why there is none, or no newer one; empty where all is well.
        looked: whether the first look for a bundle is over.
        provenance: what was verified of the bundle; None if nothing was.
    """

    bundle: Bundle | None = None
    problem: str = ""
    looked: bool = False
    provenance: Provenance | None = None


class Store:
    """Keeps the newest bundle at hand.

    Args:
        config: which packages there should be.
        source: where bundles come from.
        every: seconds between two looks for a newer one.

    Attributes:
        configured: names of the config's packages.
        snapshot: what is known now; read it once for each answer.
        notify: called with each new bundle, in the thread that found it.
    """

    def __init__(
        self,
        config: Config,
        source: Source,
        *,
        every: float = CHECK_EVERY,
    ) -> None:
        self.config = config
        self.configured = frozenset(package.name for package in config.packages)
        self.snapshot = Snapshot()
        self.notify: Callable[[Bundle], None] = lambda _bundle: None
        self._source = source
        self._every = every
        self._catalogue = (self.snapshot.bundle, _catalogue(config, None))
        self._looked = threading.Event()
        self._stop = threading.Event()

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
        """The snapshot, once the first look is over or the seconds are."""
        self._looked.wait(seconds)
        return self.snapshot

    def refresh(self) -> float:
        """Look for a newer bundle; on failure the old one stays.

        Returns:
            Seconds to wait before the next look.
        """
        rest = self._every
        try:
            bundle = self._source.newest()
        except ArtifactError as error:
            rest = min(max(rest, error.retry_after), LONGEST_REST)
            self._fail(str(error))
        except ForecastError as error:
            self._fail(str(error))
        except Exception as error:  # the thread must go on, and the page say something
            log.exception("looking for a newer bundle failed")
            self._fail(
                f"Looking for a newer bundle failed unexpectedly ({type(error).__name__}); "
                "the app's log has the details."
            )
        else:
            self._succeed(bundle)
        self._looked.set()
        return rest

    def start(self) -> threading.Thread:
        """Look now and from time to time, in a thread that ends with the process."""
        thread = threading.Thread(target=self._keep_looking, name="refresh", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Let the thread end."""
        self._stop.set()

    def _keep_looking(self) -> None:
        rest = 0.0
        while not self._stop.wait(rest):
            rest = self.refresh()

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
        except Exception:  # a new bundle is in use, whatever comes of it
            log.exception("preparing the new bundle failed")


def _catalogue(config: Config, bundle: Bundle | None) -> Catalogue:
    known = {package.name: package for package in config.packages}
    for name, entry in bundle.modelled.items() if bundle else ():
        known.setdefault(name, Package(name, entry.label))
    return Catalogue(known.values())
