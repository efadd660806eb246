"""Notices about the forecast, and the ages from which on they are shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from forecast.presentation.record import week_sentence
from forecast.presentation.wording import (
    format_date,
    format_names,
    narrow_band,
    not_better,
    part_remarks,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Sequence

    from forecast.bundle.manifest import Manifest
    from forecast.presentation.package_forecast import PackageForecast
    from forecast.record.weeks import Week

NO_MODELS = "There are no weekly models now, so each forecast is made when it is asked for."
STALE_MODEL = 10  # days; the job is weekly, and may be late
STALE_DATA = 4  # days; PyPI Stats loads every night, and may be late
REMEDIES = {  # of old counts, by source
    "folder": "Add the newer days to the file, and train again.",
    "sample": "Train again: a sample ends on the day before.",
}


@dataclass(frozen=True)
class Notice:
    """One sentence or two, how serious they are, and what the page's owner can do."""

    kind: Literal["sample", "warning", "info", "error"]
    text: str
    owner: str = ""


def notices(
    manifest: Manifest | None,
    shown: Sequence[PackageForecast],
    now: dt.datetime,
    configured: Collection[str] = (),
    repository: str = "",
    *,
    problem: str = "",
) -> list[Notice]:
    """All notices about some forecasts, the most serious first.

    Args:
        manifest: of the bundle in use; None if there is none.
        shown: the packages shown.
        now: the current time, UTC.
        configured: names of the packages that the weekly run should train.
        repository: the config's, as owner/name.
        problem: why the last check for a newer bundle failed; empty if it did not.
    """
    found = [
        *_sample(manifest),
        *_problem(manifest, problem),
        *_outdated(manifest),
        *_other_repository(manifest, repository),
        *_stale_model(manifest, now),
        *_stale_counts(shown, now, manifest),
        *_unreadable(shown),
        *_missing_days(shown),
        *(_parts(shown, manifest) if manifest else []),
        *_not_better(shown),
        *(Notice("info", text) for text in map(narrow_band, shown) if text),
    ]
    if manifest is not None:
        found += _carried(shown, manifest)
        found += [] if manifest.outdated else _untrained(shown, configured)
    return found


def unusual_weeks(
    week_of: Callable[[str], Week | None], shown: Sequence[PackageForecast]
) -> list[Notice]:
    """Whose last week left the band that was forecast for it.

    Args:
        week_of: the last week of a package by its name, if it was unusual.
        shown: the packages shown.
    """
    weeks = [(each, week_of(each.package.name)) for each in shown if not each.on_demand]
    return [Notice("info", week_sentence(week, each.package.shown)) for each, week in weeks if week]


def _sample(manifest: Manifest | None) -> list[Notice]:
    if manifest is None or manifest.source != "sample":
        return []
    text = "These counts are made up, and only look like downloads."
    owner = "Train on real counts with `python -m trainer`, or let the workflow do it."
    return [Notice("sample", text, owner)]


def _problem(manifest: Manifest | None, problem: str) -> list[Notice]:
    """Why the last check for a newer bundle failed."""
    if not problem:
        return []
    if manifest is None:
        return [Notice("error", NO_MODELS, problem)]
    text = "Newer models could not be loaded, so the last good ones are shown."
    return [Notice("warning", text, problem)]


def _outdated(manifest: Manifest | None) -> list[Notice]:
    """Models that this version cannot load."""
    if manifest is None or not manifest.outdated:
        return []
    text = (
        "The published models were made by an earlier version, so the page trains a model of each "
        "package when it is asked for."
    )
    return [Notice("info", text, "Run the workflow again.")]


def _other_repository(manifest: Manifest | None, repository: str) -> list[Notice]:
    """Models that a run of another repository made than the config's, such as that of a fork."""
    found = re.fullmatch(
        r"https?://[^/]+/([^/]+/[^/]+)/actions/runs/[0-9]+", manifest.run if manifest else ""
    )
    if not found or not repository or found[1].lower() == repository.lower():
        return []
    owner, _, name = found[1].partition("/")
    text = f"A run of {found[1]} made these models, and not one of {repository}."
    remedy = f'Set `username = "{owner}"` and `repo_name = "{name}"` in config.toml.'
    return [Notice("warning", text, remedy)]


def _stale_model(manifest: Manifest | None, now: dt.datetime) -> list[Notice]:
    age = 0 if manifest is None else (now - manifest.created_at).days
    if age <= STALE_MODEL:
        return []
    text = f"The models are {age:,} days old, although they should be renewed every week."
    owner = (
        "Check whether GitHub has disabled the schedule, as it does after 60 days without "
        "a commit, and start the workflow by hand."
    )
    return [Notice("warning", text, owner)]


def _stale_counts(
    shown: Sequence[PackageForecast], now: dt.datetime, manifest: Manifest | None
) -> list[Notice]:
    """One notice for all packages with the same newest day and the same source."""
    packages: dict[tuple[dt.date, str], list[PackageForecast]] = {}
    for forecast in shown:
        source = manifest.source if manifest and not forecast.on_demand else ""
        remedy = REMEDIES.get(source, "Check whether PyPI Stats is up and the weekly run succeeds.")
        packages.setdefault((forecast.observed_through, remedy), []).append(forecast)
    return [
        Notice(
            "warning",
            f"The newest counts of {format_names(alike)} are {age:,} days old "
            f"({format_date(day)}), so the forecast starts in the past.",
            remedy,
        )
        for (day, remedy), alike in packages.items()
        if (age := (now.date() - day).days) > STALE_DATA
    ]


def _unreadable(shown: Sequence[PackageForecast]) -> list[Notice]:
    """Packages whose model this version of the app cannot load."""
    return [
        Notice(
            "warning",
            f"The model of {forecast.package.label} cannot be read by this version of the page, "
            "so the forecast published with it is shown.",
            "Run the workflow again.",
        )
        for forecast in shown
        if forecast.change is None
    ]


def _missing_days(shown: Sequence[PackageForecast]) -> list[Notice]:
    return [
        Notice(
            "info",
            f"Newer days of {forecast.package.label} are missing, so the forecast starts after "
            f"{format_date(forecast.observed_through)}. {forecast.problem}",
        )
        for forecast in shown
        if forecast.problem
    ]


def _parts(shown: Sequence[PackageForecast], manifest: Manifest) -> list[Notice]:
    """What must be said of the parts of each group, in one notice."""
    return [
        Notice("warning", f"{forecast.package.label}: {' '.join(remarks)}")
        for forecast in shown
        if (remarks := part_remarks(forecast, manifest.source))
    ]


def _not_better(shown: Sequence[PackageForecast]) -> list[Notice]:
    """One notice for all packages whose model does not beat the seasonal naive forecast."""
    doubtful = [forecast for forecast in shown if not_better(forecast)]
    if not doubtful:
        return []
    text = (
        f"Forecasts like that of {format_names(doubtful)} were no better than repeating the last "
        "week: do not trust them more than that."
    )
    return [Notice("warning", text)]


def _carried(shown: Sequence[PackageForecast], manifest: Manifest) -> list[Notice]:
    """Packages with a model of an earlier run, because the last run could not train them."""
    entries = [(forecast, manifest.model_of(forecast.package.name)) for forecast in shown]
    return [
        Notice(
            "info",
            f"The last run made no new model of {forecast.package.label}, so that of "
            f"{format_date((entry.trained_at or manifest.created_at).date())} is used.",
            f"{forecast.package.label}: {entry.reason}.",
        )
        for forecast, entry in entries
        if entry is not None and entry.status == "carried" and not forecast.on_demand
    ]


def _untrained(shown: Sequence[PackageForecast], configured: Collection[str]) -> list[Notice]:
    """Packages of the config that the weekly run has not trained yet."""
    return [
        Notice(
            "info",
            f"{forecast.package.label} has no model from the weekly run yet, so the page trained "
            "one today.",
            "Start the workflow by hand, or wait for the weekly run.",
        )
        for forecast in shown
        if forecast.on_demand and forecast.package.name in configured
    ]
