"""The sentences and formatted numbers of the page, without HTML and without the figure."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING

import numpy as np

from forecast.config import LONGEST_NAME, counted, counted_names
from forecast.text import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from forecast.bands import Total
    from forecast.bundle.manifest import Backtest, Manifest, PartEntry
    from forecast.config import Event
    from forecast.github.artifact import Provenance
    from forecast.presentation.package_forecast import PackageForecast

FEW = (2, 20)  # millions or billions; below each, a number gets one more digit
LEVEL = 0.02  # a smaller change of the total is reported as none
NEARLY_ALL = 0.99  # a larger loss would read 100 %, although some downloads are expected
HALF_HELD = 0.5  # of the days of a backtest; of a band of 80 % it is far too few
SAME_ERROR = 0.005  # a smaller difference of two errors would read 0 %
NEAR_ZERO = 0.05  # of the largest package; a smaller one is flat on the chart
MOST_PARTS = 12  # of a group that are named beside its forecast
FEW_A_DAY = 10  # downloads; below, a fraction is displayed

TITLE = "PyPI download forecast"
QUESTION = "How many downloads in the coming weeks, and can you believe it?"
DESCRIPTION = "How many downloads of a Python package in the coming weeks, and can you believe it?"
INCOMPARABLE, SAME = "not comparable", "as large"
UNMEASURED = "Its own history is too short, or too even, to test a forecast on."
NOTHING_CHOSEN = (
    "No package chosen",
    "Choose a package, or type the name of any package on PyPI.",
)
NAME_RULE = "a name has letters and digits, with '.', '_' or '-' between them"
LONGEST_QUOTED = 60  # characters of what was typed
SOURCES = {
    "pypistats": "PyPI Stats",
    "clickhouse": "ClickPy",
    "folder": "files of the owner",
    "sample": "sample data, made up",
}
UNITS = ((1e9, "billion"), (1e6, "million"))


def format_count(value: float) -> str:
    """The downloads of a day: whole and grouped, or with one decimal below ten."""
    return f"{value:,.1f}" if 0 < value < FEW_A_DAY and value % 1 else f"{value:,.0f}"


def format_rounded(*values: float) -> list[str]:
    """Rounded numbers, such as "1.4 million", all with the unit of the first one."""
    return _in_units(values, FEW) or [f"{_three_digits(value):,.0f}" for value in values]


def format_amounts(*values: float) -> list[str]:
    """Expected downloads to three digits, all with the unit of the first one."""
    return _in_units(values, (10, 100)) or [format_count(_three_digits(value)) for value in values]


def _in_units(values: Sequence[float], limits: Sequence[float]) -> list[str]:
    """Values in the unit of the first one, with a digit more below each limit; none if small."""
    for size, unit in UNITS:
        if values[0] >= size:
            digits = sum(values[0] < limit * size for limit in limits)
            return [f"{value / size:,.{digits}f} {unit}" for value in values]
    return []


def downloads(number: str) -> str:
    """A formatted number with its unit: "1 download", "2 downloads"."""
    return f"{number} download{'' if number == '1' else 's'}"


def format_range(lower: str, upper: str) -> str:
    """Two formatted numbers; a unit that both have stands behind the second one."""
    return f"{lower.partition(' ')[0]} to {upper}"


def format_percent(share: float) -> str:
    """A share in whole percents; a line never breaks before the sign."""
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


def format_date(day: dt.date) -> str:
    """A date, such as 22 November 2026."""
    return f"{day.day} {day:%B %Y}"


def format_short(day: dt.date) -> str:
    """A day of the coming weeks, such as 30 Nov."""
    return f"{day.day} {day:%b}"


def format_day(day: dt.date) -> str:
    """A day in a table, such as 22 Nov 2026."""
    return f"{format_short(day)} {day.year}"


def format_days(first: dt.date, last: dt.date) -> str:
    """A span of the coming weeks, such as 16 to 22 Nov."""
    same = (first.year, first.month) == (last.year, last.month)
    return f"{first.day if same else format_short(first)} to {format_short(last)}"


def format_total(total: Total) -> tuple[str, str, str]:
    """The mean of a total, its 80 % and its 95 % band; both have the unit of the mean."""
    mean, *ends = format_amounts(
        total.mean, total.lower_80, total.upper_80, total.lower_95, total.upper_95
    )
    low, high, lowest, highest = (end.partition(" ")[0] for end in ends)
    return mean, f"{low} to {high}", f"{lowest} to {highest}"


def format_names(shown: Sequence[PackageForecast]) -> str:
    """The names of the packages: "a, b and c"."""
    return listed([forecast.package.label for forecast in shown])


def listed(names: Sequence[str]) -> str:
    """Names or phrases: "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def title(shown: Sequence[PackageForecast]) -> str:
    """The title of the tab: the answer itself where there is one package."""
    if len(shown) > 1:
        return f"Forecast for {format_names(shown)} - {TITLE}"
    mean, _ = expected_total(shown[0])
    about = f"about {downloads(mean)} in the next {shown[0].days} days"
    return f"{shown[0].package.label}: {no_counts(shown[0]) or about}"


def card(forecast: PackageForecast) -> str:
    """The answer on the card for previews, below the package's name."""
    if silence := no_counts(forecast):
        return f"{silence[0].upper()}{silence[1:]}."
    mean, band = expected_total(forecast)
    sentence = f"About {downloads(mean)} in the next {forecast.days} days"
    return f"{sentence}, probably {band}." if band else f"{sentence}."


def headline(forecast: PackageForecast, events: Iterable[Event]) -> str:
    """The total expected, its 80 % band, and how that compares with the days before."""
    mean, band = expected_total(forecast)
    about = f"about {downloads(mean)} in the"
    sentence = f"{forecast.package.label}: {about} next {forecast.days} days"
    if silence := no_counts(forecast):
        days = f"{forecast.days} days from {format_date(forecast.daily.start)}"
        sentence = f"{forecast.package.label}: {silence}, and {about} {days}"
    if band:
        sentence += f" (probably {band})"
    change = comparison(forecast, events)
    return f"{sentence}, {change}." if change else f"{sentence}."


def brief(forecast: PackageForecast) -> str:
    """The total expected and its 80 % band, for a list below the days that they are of."""
    mean, band = expected_total(forecast)
    about = f"about {mean}" + (f" (probably {band})" if band else "")
    return f"{forecast.package.label}: {no_counts(forecast) or about}"


def parts(
    forecast: PackageForecast, most: int = MOST_PARTS, written: Callable[[str], str] = str
) -> str:
    """Of which packages a group is the sum; empty for a package.

    Args:
        forecast: of a group or a package.
        most: how many are named.
        written: how a name is written, such as a link; around the names stand words alone.
    """
    names = [part.name for part in forecast.parts if not part.missing]
    if not names:
        return ""
    told = [*map(written, names[:most]), *_more(names, most)]
    return f"The sum of {counted(len(names))}: {listed(told)}."


def _more(names: Sequence[str], most: int) -> list[str]:
    """How many names there are beyond so many; nothing if none."""
    return [f"{len(names) - most:,} more"] if len(names) > most else []


def part_remarks(forecast: PackageForecast, kind: str) -> list[str]:
    """What a reader must know of a group's parts: which are missing, have stopped or are new.

    Args:
        forecast: of a group; nothing is said of a package.
        kind: where the counts come from, as a manifest names it.
    """
    missing = [part.name for part in forecast.parts if part.missing]
    said = [_remark(part) for part in forecast.parts if part.remark and not part.missing]
    return [*_left_out(missing, source(kind)), *said]


def _left_out(names: Sequence[str], where: str) -> list[str]:
    """That parts are missing. A run leaves out those alone that its source does not know."""
    if not names:
        return []
    verb, them = ("is", "it") if len(names) == 1 else ("are", "them")
    told = listed([*names[:MOST_PARTS], *_more(names, MOST_PARTS)])
    return [f"{told} {verb} not counted here: there were no counts of {them} in {where}."]


def _remark(part: PartEntry) -> str:
    said = []
    if part.no_counts_before:
        said.append(f"no counts before {format_date(part.no_counts_before)}")
    if part.no_counts_since:
        said.append(f"no counts since {format_date(part.no_counts_since)}")
    return f"{part.name} has {' and '.join(said)}."


def no_counts(forecast: PackageForecast) -> str:
    """Since when a package has no counts, though others have; empty if it has some."""
    stopped = forecast.no_counts_since
    return f"no counts since {format_date(stopped)}" if stopped else ""


def expected_total(forecast: PackageForecast) -> tuple[str, str]:
    """The total of the forecast and its 80 % band; the band is empty without a model."""
    total = forecast.total
    if total is None:
        return format_rounded(forecast.expected)[0], ""
    mean, lower, upper = format_rounded(total.mean, total.lower_80, total.upper_80)
    return mean, format_range(lower, upper)


def comparison(forecast: PackageForecast, events: Iterable[Event]) -> str:
    """The expected level against that before; empty where that would mislead."""
    change, before = change_a_day(forecast, events), f"the last {forecast.compared_days} days"
    if not change:
        return ""
    if change == INCOMPARABLE:
        return f"{change} with {before}, because the counting method changed"
    return f"{change} a day {'as' if change.endswith('many') else 'than'} in {before}"


def change_a_day(forecast: PackageForecast, events: Iterable[Event]) -> str:
    """The same in two or three words, such as "2 % more"."""
    counted = forecast.series.values[-forecast.compared_days :].any()
    if forecast.change is None or not counted or forecast.no_counts_since:
        return ""
    first, through = _last_days(forecast)
    if any(event.kind == "definition" and first < event.date <= through for event in events):
        return INCOMPARABLE
    change = forecast.change - 1.0
    if abs(change) < LEVEL:
        return "about as many"
    if change >= 1.0:
        return f"{change + 1:.1f} times as many"
    if change < -NEARLY_ALL:
        return f"over {format_percent(NEARLY_ALL)} fewer"
    return f"{format_percent(abs(change))} {'more' if change > 0 else 'fewer'}"


def _last_days(forecast: PackageForecast) -> tuple[dt.date, dt.date]:
    """The first and the last of the days that the level is compared with."""
    through = forecast.observed_through
    return through - dt.timedelta(days=forecast.compared_days - 1), through


def accuracy(forecast: PackageForecast) -> list[str]:
    """What such forecasts missed by, and the results of the package's own backtest."""
    error = f"error {compared(forecast.usual_error)} that of repeating the last week"
    usual = f"Forecasts like this one have an {error}."
    if forecast.usual_miss is not None:
        usual = (
            "Forecasts like this one have missed the total by "
            f"{format_percent(forecast.usual_miss)} in half the cases, with an {error}."
        )
    scores = _measured(forecast)
    if scores is None or scores.coverage_80 is None or scores.coverage_95 is None:
        return [usual, UNMEASURED]
    times = "once" if scores.origins == 1 else f"{scores.origins} times"
    tested = (
        f"Tested {times} on the history of {forecast.package.label}, {forecast.days} days ahead: "
        f"the {format_percent(0.8)} band contained {format_percent(scores.coverage_80)} of "
        f"the days, the {format_percent(0.95)} band {format_percent(scores.coverage_95)}."
    )
    return [usual, tested]


def _measured(forecast: PackageForecast) -> Backtest | None:
    """The backtest, if it has both errors."""
    scores = forecast.backtest
    complete = scores and scores.mase is not None and scores.naive_mase is not None
    return scores if complete else None


def compared(ratio: float) -> str:
    """How an error compares with another one; ends in "than" or "as"."""
    difference = error_difference(ratio)
    return f"{difference} {'as' if difference == SAME else 'than'}"


def error_difference(ratio: float) -> str:
    """The same in two or three words, such as "18 % smaller"."""
    change = abs(ratio - 1.0)
    if change < SAME_ERROR:
        return SAME
    return f"{format_percent(change)} {'smaller' if ratio < 1 else 'larger'}"


def track_record(forecast: PackageForecast) -> str:
    """How the published forecasts turned out; empty if there are none, or all days are ahead."""
    record = forecast.track_record
    if record is None:
        return ""
    first = format_date(record.first)
    subject = (
        f"The forecast of {first}"
        if record.forecasts == 1
        else f"The {record.forecasts} forecasts published since {first}"
    )
    sentence = f"{subject}, compared with the counts so far:"
    if record.ratio is not None:
        sentence += f" an error {compared(record.ratio)} that of repeating the last week;"
    return (
        f"{sentence} {format_percent(record.inside_80)} of {record.days:,} days within the "
        f"{format_percent(0.8)} band, {format_percent(record.inside_95)} within the "
        f"{format_percent(0.95)} band."
    )


def total_so_far(forecast: PackageForecast) -> str:
    """What was counted in all, and the next round number if the forecast reaches it."""
    counted = float(forecast.series.values.sum())
    if counted < 1:
        return ""
    mean = format_amounts(counted)[0]
    since = format_date(forecast.series.start)
    sentence = f"Since {since}, {downloads(mean)} were counted."
    step = 10.0 ** math.floor(math.log10(counted))
    goal = next(each * step for each in (2, 5, 10) if each * step > counted)
    reached = np.flatnonzero(counted + np.cumsum(forecast.daily.mean) >= goal)
    if not reached.size:
        return sentence
    day = forecast.daily.start + dt.timedelta(days=int(reached[0]))
    return f"{sentence} {format_amounts(goal)[0]} will be reached around {format_date(day)}."


def narrow_band(forecast: PackageForecast) -> str:
    """That the band held far too few days in the past of the package; empty if it did not."""
    scores = _measured(forecast)
    held = scores.coverage_80 if scores else None
    if held is None or held >= HALF_HELD or forecast.no_counts_since:
        return ""
    return (
        f"In the tests on the past of {forecast.package.label} the {format_percent(0.8)} band held "
        f"{format_percent(held)} of the days only: expect larger surprises."
    )


def error_figures(forecast: PackageForecast) -> list[tuple[str, str]]:
    """The results of the backtest, as pairs of a name and a number."""
    scores = _measured(forecast)
    if scores is None:
        return []
    figures = [
        ("Error of the model (MASE)", f"{scores.mase:.2f}"),
        ("Error of the seasonal naive (MASE)", f"{scores.naive_mase:.2f}"),
    ]
    if scores.coverage_80 is not None and scores.coverage_95 is not None:
        figures.append(("Days within the 80 % band", format_percent(scores.coverage_80)))
        figures.append(("Days within the 95 % band", format_percent(scores.coverage_95)))
    return figures


def not_better(forecast: PackageForecast) -> bool:
    """Whether such forecasts do not beat the seasonal naive one."""
    return forecast.usual_error >= 1.0


def model_summary(forecast: PackageForecast) -> str:
    """Which ARIMAs are averaged, and from how many candidates the searched one was chosen."""
    members = forecast.choice.members
    pooled = [
        f"{format_percent(each.weight)} with theta {each.theta:g}"
        for each in members
        if each.theta is not None
    ]
    searched = [each for each in members if each.theta is None]
    if not (pooled and searched):
        return "The orders of the model are not recorded."
    tried = forecast.choice.candidates
    return (
        f"A mean of ARIMA(0,1,1), the same for all packages ({', '.join(pooled)}), and of "
        f"ARIMA{searched[0].notation} ({format_percent(searched[0].weight)}), chosen among "
        f"{tried:,} candidate{'s' if tried != 1 else ''} for this one. The weekly pattern and "
        "days off are taken out before and put back after. The thetas, the effect of days off and "
        "the widths of the bands were learned from thousands of packages."
    )


def day_off(name: str, loss: float) -> str:
    """How a day off moves the forecast of that day."""
    return f"{name}: {format_percent(abs(loss))} {'fewer' if loss > 0 else 'more'} expected"


def origin(provenance: Provenance | None, *, asked: bool) -> str:
    """Where the models come from, as far as that was verified.

    Args:
        provenance: what was verified; None if nothing was.
        asked: whether the config wants artifacts verified.
    """
    if provenance is not None:
        return (
            f"Attested by GitHub Actions: built by {provenance.workflow} of "
            f"{provenance.repository} at commit {provenance.commit[:7]}, in run "
            f"{provenance.run_id}. Signatures, repository, branch, workflow, commit, run and "
            "digest were verified with the keys of Sigstore that are installed with this page."
        )
    if asked:
        return "Not verified, because the models were read from a folder."
    return "Not verified, because config.toml does not ask for it (`verify_attestation`)."


def source(kind: str) -> str:
    """Where counts come from, by the kind that a manifest names."""
    return SOURCES.get(kind, kind)


def freshness(forecast: PackageForecast, manifest: Manifest | None) -> list[tuple[str, dt.date]]:
    """How recent model and counts are, as pairs of a name and a date."""
    pairs = []
    if forecast.on_demand:
        pairs.append(("Model trained today, on counts through", forecast.trained_through))
    elif manifest is not None:
        pairs.append(("Last model updated on", _trained_at(forecast, manifest).date()))
        pairs.append(("Trained through", forecast.trained_through))
    pairs.append(("Observed through", forecast.observed_through))
    if forecast.no_counts_since:
        pairs.append(("No counts since", forecast.no_counts_since))
    return pairs


def _trained_at(forecast: PackageForecast, manifest: Manifest) -> dt.datetime:
    """When the package was trained: by an earlier run if the last one could not."""
    entry = manifest.model_of(forecast.package.name)
    return (entry.trained_at if entry else None) or manifest.created_at


def match_count(shown: int, found: Collection[str]) -> str:
    """How many packages and groups match what is typed, by their names."""
    if shown < len(found):
        return f"The first {shown} of {counted_names(found)}: type more of the name."
    return f"{counted_names(found)}."


def no_match(*, near: bool) -> str:
    """That no package matches what is typed, and what to do then."""
    text = "No matching package"
    text += "; similar names are listed." if near else "."
    return f"{text} Press Enter to use the name as typed: any name on PyPI works."


def near_zero(shown: Sequence[PackageForecast]) -> str:
    """That some packages are too small to be seen beside the largest; empty if none is."""
    largest = max(shown, key=lambda forecast: forecast.expected)
    small = [each for each in shown if each.expected < NEAR_ZERO * largest.expected]
    if not small:
        return ""
    lie = "lies" if len(small) == 1 else "lie"
    return (
        f"Beside {largest.package.label}, {format_names(small)} {lie} close to zero: "
        "choose the scale Log or Indexed to compare their course."
    )


def loading() -> str:
    """While the app loads its first bundle."""
    return "The models are being loaded. After a cold start this takes a few seconds."


def no_name(typed: str) -> str:
    """That a text cannot be a name, and which one it may stand for."""
    quoted = typed if len(typed) <= LONGEST_QUOTED else f"{typed[:LONGEST_QUOTED]}..."
    if len(typed) > LONGEST_NAME:
        return (
            f"\N{LEFT DOUBLE QUOTATION MARK}{quoted}\N{RIGHT DOUBLE QUOTATION MARK} has "
            f"{len(typed):,} characters: a name on PyPI has at most {LONGEST_NAME}."
        )
    text = (
        f"\N{LEFT DOUBLE QUOTATION MARK}{quoted}\N{RIGHT DOUBLE QUOTATION MARK} cannot be the name "
        f"of a package: {NAME_RULE}."
    )
    near = re.sub(r"[^A-Za-z0-9]+", "-", typed).strip("-").lower()
    return f"{text} {near} would be one." if near else text


def no_choice(field: str, value: str, allowed: Iterable[str]) -> str:
    """That a field of an address has a value that is none of those allowed."""
    *most, last = allowed
    return f"The address has {field}={excerpt(value)}; it can be {', '.join(most)} or {last}."


def too_many(labels: Sequence[str], most: int, more: int = 0) -> str:
    """That names are left out of a comparison, and so many more that were not looked at."""
    names = [*labels, f"{more:,} more"] if more else labels
    verb = "is" if len(names) == 1 and more < 2 else "are"  # noqa: PLR2004 - two are several
    return f"One chart has at most {most}: {listed(names)} {verb} left out."


def fetching(label: str) -> str:
    """While a package is fetched and trained."""
    return (
        f"There is no model of {label} from the weekly run, so its counts are "
        "fetched and a model is trained now. This takes some seconds."
    )


def event_note(event: Event) -> str:
    """An event with its days."""
    days = format_date(event.date)
    if event.until is not None:
        days += f" to {format_date(event.until)}"
    return f"{days}: {event.note}."


def _three_digits(value: float) -> float:
    """Rounded to three digits: more would suggest a precision that is not there."""
    return float(f"{value:.3g}")
