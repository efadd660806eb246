"""The errors that a user can see.

ForecastError
├── ConfigError              config.toml or the command line is wrong
├── DownloadsError           a source of download counts did not give usable counts
│   └── UnknownPackageError  ... because it does not know the package
├── SeriesError              the counts cannot be made into a series to forecast
├── BundleError              a bundle or a model in it is not valid
├── ArtifactError            GitHub did not give a bundle that can be trusted
│   ├── NoArtifactError      ... because it plainly says that there is none
│   └── CorruptArtifactError ... because its digest is not the one listed
├── BusyError                a rate limit is reached
└── ClusterError             the training cluster cannot be used

Every message is one sentence or two: what was expected, what came, what to do.
One ends a run in ``trainer.cli``, and only the package in ``trainer.engines.task``. The page
catches them in its endpoints, around its content and in its background threads.
"""

from __future__ import annotations

from forecast.text import clean


class ForecastError(Exception):
    """Base class; never raised itself. Its texts are clean (:mod:`forecast.text`).

    ``owner`` is what only the owner of the page can use; empty where the message says all.
    """

    def __init__(self, message: str, *, owner: str = "") -> None:
        super().__init__(clean(message))
        self.owner = clean(owner)


class ConfigError(ForecastError):
    """config.toml, an environment variable or an argument is wrong."""


class DownloadsError(ForecastError):
    """A source could not be reached, or its answer is not usable."""


class UnknownPackageError(DownloadsError):
    """The source has no such package."""


class SeriesError(ForecastError):
    """There are too few counts, or too many are missing, to forecast from."""


class BundleError(ForecastError):
    """A bundle, or a model in it, fails a check when it is read."""


class BusyError(ForecastError):
    """A rate limit is reached: too many requests at once or within an hour.

    ``retry_after`` is the number of seconds to wait.
    """

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ArtifactError(ForecastError):
    """No trusted artifact could be downloaded.

    ``retry_after`` is the number of seconds that GitHub asked to wait, 0.0 if none.
    """

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NoArtifactError(ArtifactError):
    """GitHub listed none of the repository's own, or only expired ones: there is none to lose."""


class CorruptArtifactError(ArtifactError):
    """The downloaded bytes do not have the digest that GitHub listed."""


class ClusterError(ForecastError):
    """The scheduler cannot be reached, has no worker, or has one that is unfit to train."""
