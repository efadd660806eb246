"""The failures a user can meet, as one family.

ForecastError
├── ConfigError              config.toml or the command line is wrong
├── DownloadsError           a source of download counts did not give usable counts
│   └── UnknownPackageError  ... because it does not know the package
├── SeriesError              the counts cannot be made into a series to forecast
├── BundleError              a bundle or a model in it is not what it says it is
├── ArtifactError            GitHub did not give a bundle that can be trusted
│   └── CorruptArtifactError ... because the bytes are not those that it listed
├── BusyError                a visitor asked for too much of what is dear
└── ClusterError             the machines that were to train cannot be used

Every message is one sentence or two: what was expected, what came, what to do.
They are caught at the edges alone: the trainer's ``main``, one package's
training, the app's handlers and its refresh thread.
"""

from __future__ import annotations


class ForecastError(Exception):
    """Root of the family; never raised itself."""


class ConfigError(ForecastError):
    """config.toml, an environment variable or an argument is wrong."""


class DownloadsError(ForecastError):
    """A source could not be asked, or its answer is not usable."""


class UnknownPackageError(DownloadsError):
    """The source answered, and has no such package."""


class SeriesError(ForecastError):
    """The counts are too few, or too full of holes, to forecast from."""


class BundleError(ForecastError):
    """A bundle, or a model in it, fails a check at the door."""


class BusyError(ForecastError):
    """Too much was asked for at once, or within an hour.

    ``retry_after`` is the number of seconds until there is room again.
    """

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ArtifactError(ForecastError):
    """No artifact that can be trusted was to be had.

    ``retry_after`` is the number of seconds that GitHub asked to be left alone,
    0.0 where it asked for nothing.
    """

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CorruptArtifactError(ArtifactError):
    """What was downloaded is not what GitHub listed."""


class ClusterError(ForecastError):
    """The scheduler cannot be reached, has no worker, or has one that is not fit to train."""
