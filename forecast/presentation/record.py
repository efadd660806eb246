"""The sentences and the JSON of how good the forecasts of all packages were."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from forecast.config import counted
from forecast.presentation.wording import (
    format_date,
    format_percent,
    format_range,
    format_rounded,
    listed,
)
from forecast.quantities import WEEK
from forecast.record.record import (
    FEWEST_DAYS,
    FEWEST_FORECASTS,
    FEWEST_TOTALS,
    LEVEL,
    Coverage,
    Direction,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from forecast.record.record import Record, WeekSkill
    from forecast.record.weeks import LastWeek, Week

NO_RECORD = (
    "No forecast has been compared with the counts yet: the first comparison comes with the "
    "second weekly run."
)
MOST_WEEKS = 100  # unusual packages in one answer
CLOSE = 0.03  # a share that differs less from what was promised keeps the promise
NEARLY_ALL = 0.97  # of days in the 95 % band; with fewer it is no wider than it had to be
FAR = 1.5  # half-widths of the band from the expected
ORDINALS = ("first", "second", "third", "fourth", "fifth")
CAUSES = {
    "own": "",
    "common": " Most packages moved to the same side in that week, so the cause may be the source "
    "or the season.",
    "definition": " What counts as a download changed then, so the week cannot be compared.",
}


class CoverageAnswer(TypedDict):
    """How many days or totals were compared, and the shares within the bands."""

    compared: int
    inside_80: float | None
    inside_95: float | None


class TotalsAnswer(CoverageAnswer):
    """The same for totals of so many days."""

    days: int


class SkillAnswer(TypedDict):
    """Error in a week of the horizon over that of repeating the last week."""

    week: int
    compared: int
    error_ratio: float | None


class DirectionAnswer(TypedDict):
    """How often more or fewer downloads came, where that was forecast."""

    named: int
    right: float | None


class WeekAnswer(TypedDict):
    """A week outside the 95 % band that was forecast for it."""

    package: str
    start: str
    end: str
    downloads: float
    mean: float
    lower_95: float
    upper_95: float
    cause: str
    picture: str


class LastWeekAnswer(TypedDict):
    """The packages and groups whose last week was unusual, of how many."""

    judged: int
    outside: int
    weeks: list[WeekAnswer]


class RecordAnswer(TypedDict):
    """The response of ``/record``."""

    since: str | None
    through: str | None
    forecasts: int
    packages: int
    groups: int
    days: CoverageAnswer
    totals: list[TotalsAnswer]
    skill: list[SkillAnswer]
    direction: DirectionAnswer
    surprises: list[WeekAnswer]
    last_week: LastWeekAnswer
    sentences: list[str]


def page_picture(name: str) -> str:
    """Where the page has the chart of a package."""
    return f"picture/{name}.svg"


def record_answer(
    record: Record,
    last: LastWeek,
    most: int = MOST_WEEKS,
    picture: Callable[[str], str] = page_picture,
) -> RecordAnswer:
    """The response of ``/record``.

    Args:
        record: of all packages.
        last: their last week.
        most: how many unusual packages to list.
        picture: address of the chart of a package; empty if there is none.
    """
    return RecordAnswer(
        since=record.since.isoformat() if record.since else None,
        through=record.through.isoformat() if record.through else None,
        forecasts=record.forecasts,
        packages=record.packages,
        groups=record.groups,
        days=_coverage(record.days),
        totals=[TotalsAnswer(days=days, **_coverage(each)) for days, each in record.totals.items()],
        skill=[
            SkillAnswer(week=each.week, compared=each.compared, error_ratio=_share(each.ratio))
            for each in record.skill
        ],
        direction=DirectionAnswer(
            named=record.direction.named, right=_share(record.direction.right)
        ),
        surprises=[_week(week, picture) for week in record.surprises],
        last_week=LastWeekAnswer(
            judged=last.judged,
            outside=len(last.weeks),
            weeks=[_week(week, picture) for week in last.weeks[:most]],
        ),
        sentences=record_sentences(record),
    )


def record_sentences(record: Record) -> list[str]:
    """What a reader without statistics wants to know; one sentence where nobody can tell yet."""
    if record.since is None or record.through is None:
        return [NO_RECORD]
    number = f"{record.forecasts:,} forecast{'s' if record.forecasts != 1 else ''}"
    of_all = counted(record.packages, record.groups)
    return [
        (
            f"Compared with the counts: {number} of {of_all}, since {format_date(record.since)}, "
            f"through {format_date(record.through)}."
        ),
        *_held("days", record.days, _few_days(record)),
        *_totals(record.totals),
        *_skill(record.skill),
        *_direction(record.direction),
    ]


def week_sentence(week: Week, label: str) -> str:
    """A week outside its band, with what else explains it."""
    upper, lower = format_rounded(week.upper, week.lower)
    side = ("far " if week.distance >= FAR else "") + ("above" if week.above else "below")
    return (
        f"{label}: {format_rounded(week.downloads)[0]} downloads in the week to "
        f"{format_date(week.end)}, {side} what was expected "
        f"({format_range(lower, upper)}).{CAUSES[week.cause]}"
    )


def last_week_sentences(last: LastWeek) -> list[str]:
    """How many packages and groups had an unusual week, and how many do by chance."""
    if not last.judged:
        return []
    common = sum(week.cause == "common" for week in last.weeks)
    judged = counted(last.judged - last.groups, last.groups)
    sentences = [
        (
            f"Of {judged}, {len(last.weeks):,} had a last week outside the 95 % band that was "
            "forecast for it; by chance it is about one in twenty."
        )
    ]
    if common:
        sentences.append(
            f"{common:,} of them moved to the same side: the cause may be the source or the season."
        )
    return sentences


def _held(what: str, coverage: Coverage, few: str) -> list[str]:
    if coverage.inside_80 is None or coverage.inside_95 is None:
        return [few]
    inside_80, inside_95 = round(coverage.inside_80, 2), round(coverage.inside_95, 2)
    return [
        (
            f"Of the {coverage.compared:,} {what} we called 80 % sure, "
            f"{format_percent(inside_80)} held; of those we called 95 % sure, "
            f"{format_percent(inside_95)}.{_kept(inside_80, inside_95)}"
        )
    ]


def _kept(inside_80: float, inside_95: float) -> str:
    """Whether the bands kept what they promise, by the shares that were inside."""
    if inside_80 < 0.8 - CLOSE or inside_95 < 0.95 - CLOSE:
        return " So we were too sure."
    if inside_80 > 0.8 + CLOSE and inside_95 >= NEARLY_ALL:
        return " So the bands were wider than they had to be."
    return ""


def _few_days(record: Record) -> str:
    days = record.days.compared
    return (
        f"That is too little to tell how many days hold ({days:,} day{'s' if days != 1 else ''}): "
        f"it takes {FEWEST_DAYS} days of {FEWEST_FORECASTS} forecasts."
    )


def _totals(totals: Mapping[int, Coverage]) -> Iterable[str]:
    """The totals of a week and of the longest span, one sentence each."""
    told = [days for days in dict.fromkeys([WEEK, max(totals, default=0)]) if days in totals]
    known = [days for days in told if totals[days].inside_80 is not None]
    for days in known:
        yield from _held(f"totals of {days} days", totals[days], "")
    if len(known) < len(told) or not told:
        lacking = next((days for days in told if days not in known), WEEK)
        number = totals[lacking].compared if lacking in totals else 0
        yield (
            f"Too few totals of {lacking} days have been compared yet ({number:,}): it takes "
            f"{FEWEST_TOTALS}."
        )


def _skill(skill: Sequence[WeekSkill]) -> list[str]:
    """The errors of each week ahead, in one sentence."""
    parts = [
        f"{_compared(each.ratio)} in the {_ordinal(each.week)} week ahead"
        for each in skill
        if each.ratio is not None
    ]
    if not parts:
        return []
    return [f"The error, compared with that of repeating the last week, was {listed(parts)}."]


def _direction(direction: Direction) -> list[str]:
    if direction.right is None:
        return [
            (
                "Too few totals of four weeks have been compared yet to tell how often the "
                f"direction was right ({direction.named:,}): it takes {FEWEST_TOTALS}."
            )
        ]
    return [
        (
            f"Where we forecast a change of at least {format_percent(LEVEL)} from four weeks to "
            f"the next four, the direction was right in {format_percent(direction.right)} of "
            f"{direction.named:,} cases."
        )
    ]


def _compared(ratio: float) -> str:
    change = ratio - 1.0
    if round(100 * abs(change)) == 0:
        return "as large"
    return f"{format_percent(abs(change))} {'smaller' if change < 0 else 'larger'}"


def _ordinal(week: int) -> str:
    return ORDINALS[week - 1] if week <= len(ORDINALS) else f"{week}th"


def _coverage(coverage: Coverage) -> CoverageAnswer:
    return CoverageAnswer(
        compared=coverage.compared,
        inside_80=_share(coverage.inside_80),
        inside_95=_share(coverage.inside_95),
    )


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _week(week: Week, picture: Callable[[str], str]) -> WeekAnswer:
    return WeekAnswer(
        package=week.package,
        start=week.start.isoformat(),
        end=week.end.isoformat(),
        downloads=week.downloads,
        mean=week.mean,
        lower_95=week.lower,
        upper_95=week.upper,
        cause=week.cause,
        picture=picture(week.package),
    )
