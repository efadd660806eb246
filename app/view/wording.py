"""What the page says, in sentences: no HTML here, and no figure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from app.data.package_forecast import PackageForecast
    from app.data.store import Snapshot
    from forecast.bundle.manifest import Manifest
    from forecast.config import Event
    from forecast.github.artifact import Provenance

STALE_MODEL = 10  # days; the job is weekly, and may be late
STALE_DATA = 4  # days; PyPI Stats loads every night, and may be late
FEW = (2, 20)  # below so many millions or billions, another digit is worth saying
LEVEL = 0.02  # a change smaller than that is called none

UNMEASURED = (
    "How good the forecast is could not be measured: there is too little history to test it on."
)
UNITS = ((1e9, "billion"), (1e6, "million"))


@dataclass(frozen=True)
class Notice:
    """Something a visitor should know before believing the chart."""

    kind: Literal["sample", "warning", "info", "error"]
    text: str


def count(value: float) -> str:
    """A day's downloads: whole and grouped, or with a tenth where there are few."""
    return f"{value:,.1f}" if 0 < value < 10 and value % 1 else f"{value:,.0f}"  # noqa: PLR2004


def about(*values: float) -> list[str]:
    """Large numbers in words, all in the first one's unit: "1.4 million"."""
    for size, unit in UNITS:
        if values[0] >= size:
            digits = sum(values[0] < limit * size for limit in FEW)
            return [f"{value / size:,.{digits}f} {unit}" for value in values]
    return [f"{_three_digits(value):,.0f}" for value in values]


def percent(share: float) -> str:
    """A share in whole percents, its sign not to be parted from the number."""
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


def date(day: dt.date) -> str:
    """A date for people, such as 22 November 2026."""
    return f"{day.day} {day:%B %Y}"


def headline(forecast: PackageForecast, events: Iterable[Event]) -> str:
    """How many downloads to expect, how surely, and how that compares."""
    mean, band = expected(forecast)
    sentence = f"{forecast.package.label}: about {mean} downloads in the next {forecast.days} days"
    if band:
        sentence += f" ({percent(0.8)}: {band})"
    comparison = _comparison(forecast, events)
    return f"{sentence}, {comparison}." if comparison else f"{sentence}."


def expected(forecast: PackageForecast) -> tuple[str, str]:
    """The sum of the next days and its 80 % band; empty where the model tells none."""
    total = forecast.total
    if total is None:
        return about(forecast.expected)[0], ""
    mean, lower, upper = about(total.mean, total.lower_80, total.upper_80)
    return mean, f"{lower.partition(' ')[0]} to {upper}"


def _comparison(forecast: PackageForecast, events: Iterable[Event]) -> str:
    """The total beside as many days before; empty where that would mislead."""
    last = forecast.last_total()
    if not last:
        return ""
    first_day = forecast.observed_through - dt.timedelta(days=forecast.days - 1)
    if any(e.kind == "definition" and first_day < e.date for e in _until(events, forecast)):
        return f"not comparable with the last {forecast.days}, as the way of counting changed"
    change = forecast.expected / last - 1.0
    if abs(change) < LEVEL:
        return f"about as many as in the last {forecast.days}"
    if change >= 1.0:
        return f"{change + 1:.1f} times as many as in the last {forecast.days}"
    way = "more" if change > 0 else "fewer"
    return f"{percent(abs(change))} {way} than in the last {forecast.days}"


def _until(events: Iterable[Event], forecast: PackageForecast) -> list[Event]:
    return [event for event in events if event.date <= forecast.observed_through]


def accuracy(forecast: PackageForecast) -> list[str]:
    """How good such forecasts have been on this package, in words and numbers."""
    scores = forecast.backtest
    if scores is None or scores.mase is None or scores.naive_mase is None:
        return [UNMEASURED]
    times = "once" if scores.origins == 1 else f"{scores.origins} times"
    compared = _beside(scores.ratio if scores.ratio is not None else 1.0)
    rehearsed = (
        f"Tested {times} on the past of {forecast.package.label}, {forecast.days} days ahead: "
        f"the error was {compared} that of simply repeating the last week."
    )
    sentences = [rehearsed]
    if scores.coverage_80 is not None and scores.coverage_95 is not None:
        sentences.append(
            f"The {percent(0.8)} band held {percent(scores.coverage_80)} of the days, "
            f"the {percent(0.95)} band {percent(scores.coverage_95)}."
        )
    return sentences


def _beside(ratio: float) -> str:
    """How an error compares with another, in words that end in "than" or "as"."""
    change = abs(ratio - 1.0)
    if change < 0.005:  # noqa: PLR2004 - it would read 0 %
        return "as large as"
    return f"{percent(change)} {'smaller' if ratio < 1 else 'larger'} than"


def track_record(forecast: PackageForecast) -> str:
    """How the forecasts that were really published turned out; empty before any day has come."""
    record = forecast.track_record
    if record is None:
        return ""
    made = "The forecast" if record.forecasts == 1 else f"The {record.forecasts} forecasts"
    since = "of" if record.forecasts == 1 else "published since"
    sentence = f"{made} {since} {date(record.first)}, seen from today:"
    if record.ratio is not None:
        sentence += f" an error {_beside(record.ratio)} that of repeating the last week;"
    return (
        f"{sentence} {percent(record.inside_80)} of {record.days:,} days within the "
        f"{percent(0.8)} band, {percent(record.inside_95)} within the {percent(0.95)} band."
    )


def errors(forecast: PackageForecast) -> list[tuple[str, str]]:
    """The backtest's figures, named."""
    scores = forecast.backtest
    if scores is None or scores.mase is None or scores.naive_mase is None:
        return []
    figures = [
        ("Error of the model (MASE)", f"{scores.mase:.2f}"),
        ("Error of the seasonal naive (MASE)", f"{scores.naive_mase:.2f}"),
    ]
    if scores.coverage_80 is not None and scores.coverage_95 is not None:
        figures.append(("Days within the 80 % band", percent(scores.coverage_80)))
        figures.append(("Days within the 95 % band", percent(scores.coverage_95)))
    return figures


def not_better(forecast: PackageForecast) -> bool:
    """Whether the model does not beat the seasonal naive forecast."""
    scores = forecast.backtest
    return scores is not None and scores.ratio is not None and scores.ratio >= 1.0


def choice(forecast: PackageForecast) -> str:
    """Which model it is, among how many."""
    if forecast.choice.note:
        return forecast.choice.note
    names = forecast.choice.names
    if not names:
        return "Which orders the model has is not told."
    what = names[0] if len(names) == 1 else f"The mean of {', '.join(names[:-1])} and {names[-1]}"
    tried = forecast.choice.candidates
    return f"{what}, chosen among {tried:,} candidate{'s' if tried != 1 else ''}."


def origin(provenance: Provenance | None, *, asked: bool) -> str:
    """What is known of where the models come from.

    Args:
        provenance: what was verified; None if nothing was.
        asked: whether the config wants artifacts verified.
    """
    if provenance is not None:
        return (
            f"Attested by GitHub Actions: built by {provenance.workflow} of "
            f"{provenance.repository} at commit {provenance.commit[:7]}, in run "
            f"{provenance.run_id}. Signatures, repository, branch, workflow, commit, run and "
            "digest were checked against the keys of Sigstore that came with this page."
        )
    if asked:
        return "Not verified, as the models were read from a folder."
    return "Not verified, as config.toml does not ask for it (`verify_attestation`)."


def freshness(forecast: PackageForecast, manifest: Manifest | None) -> list[tuple[str, dt.date]]:
    """Where the numbers stand, as pairs of a name and a date."""
    pairs = []
    if forecast.on_demand:
        pairs.append(("Model made today, from counts through", forecast.trained_through))
    elif manifest is not None:
        pairs.append(("Last model updated on", _made(forecast, manifest).date()))
        pairs.append(("Trained through", forecast.trained_through))
    pairs.append(("Observed through", forecast.observed_through))
    return pairs


def _made(forecast: PackageForecast, manifest: Manifest) -> dt.datetime:
    """When the package's model was made: by an earlier run if the last one could not."""
    entry = manifest.model_of(forecast.package.name)
    return (entry.trained_at if entry else None) or manifest.created_at


def notices(
    snapshot: Snapshot,
    shown: Sequence[PackageForecast],
    now: dt.datetime,
    configured: Collection[str] = (),
) -> list[Notice]:
    """All that a visitor should know, the gravest first.

    Args:
        snapshot: the bundle in use.
        shown: what is shown.
        now: the present moment, UTC.
        configured: names of the packages that the weekly run should train.
    """
    found = []
    manifest = snapshot.bundle.manifest if snapshot.bundle else None
    if manifest is not None and manifest.source == "sample":
        found.append(
            Notice(
                "sample",
                "these series are made up and only look like downloads. "
                "Train on real counts with `python -m trainer`, or let the workflow do it.",
            )
        )
    if snapshot.problem:
        text = snapshot.problem
        if manifest is not None:
            text = f"No newer models could be had, so the last good ones are shown. {text}"
        found.append(Notice("error" if manifest is None else "warning", text))
    if manifest is not None and (now - manifest.created_at).days > STALE_MODEL:
        found.append(Notice("warning", _stale_model(manifest, now)))
    found += _old_counts(shown, now)
    found += [
        Notice(
            "warning",
            f"The model of {each.package.label} cannot be read by this version of the page, so "
            "the forecast is the one published with it: run the workflow again.",
        )
        for each in shown
        if each.total is None
    ]
    found += [
        Notice(
            "info",
            f"Newer days of {each.package.label} are missing, so the forecast starts after "
            f"{date(each.observed_through)}. {each.problem}",
        )
        for each in shown
        if each.problem
    ]
    if doubted := [each for each in shown if not_better(each)]:
        text = (
            f"On {listed(doubted)} the model has not beaten simply repeating the last week: "
            "believe its forecast no more than that."
        )
        found.append(Notice("warning", text))
    if manifest is not None:
        found += _carried(shown, manifest)
        found += _untrained(shown, configured)
    return found


def _old_counts(shown: Sequence[PackageForecast], now: dt.datetime) -> list[Notice]:
    """One notice for all packages whose newest day is the same."""
    ends: dict[dt.date, list[PackageForecast]] = {}
    for forecast in shown:
        if (now.date() - forecast.observed_through).days > STALE_DATA:
            ends.setdefault(forecast.observed_through, []).append(forecast)
    return [
        Notice(
            "warning",
            f"The newest counts of {listed(old)} are {(now.date() - day).days:,} days old "
            f"({date(day)}), so the forecast starts in the past: "
            "see whether PyPI Stats is up and the weekly run succeeds.",
        )
        for day, old in ends.items()
    ]


def _carried(shown: Sequence[PackageForecast], manifest: Manifest) -> list[Notice]:
    """Packages that the last run left with an earlier model, and its reasons."""
    entries = [(each, manifest.model_of(each.package.name)) for each in shown]
    return [
        Notice(
            "info",
            f"The last run did not train {forecast.package.label}: {entry.reason}.",
        )
        for forecast, entry in entries
        if entry is not None and entry.status == "carried" and not forecast.on_demand
    ]


def _untrained(shown: Sequence[PackageForecast], configured: Collection[str]) -> list[Notice]:
    """Configured packages that the weekly run has no model of."""
    waiting = [each for each in shown if each.on_demand and each.package.name in configured]
    return [
        Notice(
            "info",
            f"{each.package.label} has no model of the weekly run yet, so one was made on the "
            "spot. Start the workflow by hand, or wait for the weekly run.",
        )
        for each in waiting
    ]


def listed(shown: Sequence[PackageForecast]) -> str:
    """Their names, as a sentence has them."""
    names = [forecast.package.label for forecast in shown]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def matches(shown: int, found: int) -> str:
    """How many packages have what was typed in their name."""
    if shown < found:
        return f"The first {shown} of {found:,} packages: type more of the name."
    return f"{found} package{'s' if found != 1 else ''}."


def no_match(*, near: bool) -> str:
    """That no package has what was typed in its name, and what can be done then."""
    text = "No matching package; similar names are listed." if near else "No matching package."
    return f"{text} Enter takes any name on PyPI."


def loading() -> str:
    """While the first bundle is on its way."""
    return "The models are being fetched. This takes a few seconds after a cold start."


def _stale_model(manifest: Manifest, now: dt.datetime) -> str:
    days = (now - manifest.created_at).days
    return (
        f"The models are {days:,} days old, although they should be renewed every week: "
        "see whether GitHub has switched the schedule off, as it does after 60 days without "
        "a commit, and start the workflow by hand."
    )


def event_note(event: Event) -> str:
    """An event with its days."""
    days = date(event.date)
    if event.until is not None:
        days += f" to {date(event.until)}"
    return f"{days}: {event.note}."


def _three_digits(value: float) -> float:
    """Rounded to three digits: more would pretend to know."""
    return float(f"{value:.3g}")
