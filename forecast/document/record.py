"""How good the forecasts of all packages were, as a plain page."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from forecast.presentation.record import last_week_sentences, record_sentences, week_sentence
from forecast.presentation.wording import format_percent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from forecast.document.document import Document, Link, Templates
    from forecast.record.record import Coverage, Record
    from forecast.record.weeks import LastWeek, Week

RECORD_TITLE = "How good were the forecasts?"
MOST_WEEKS = 50  # unusual packages of the last week that are listed


class Shown(NamedTuple):
    """A week on the page: a link to the package, and what follows its name."""

    label: str
    href: str
    rest: str


def record_page(
    templates: Templates,
    document: Document,
    record: Record,
    last: LastWeek,
    labels: Mapping[str, str],
    *,
    root: str,
    links: Sequence[Link],
    place: Callable[[str], str],
    picture: Callable[[Week], str],
    files: Sequence[Link] = (),
) -> str:
    """The page.

    Args:
        templates: render it.
        document: what its head says.
        record: of all packages.
        last: their last week.
        labels: what packages are called, by name.
        root: address of the page that lists the packages.
        links: beside its heading.
        place: address of the page of a package.
        picture: a surprise as SVG; empty if there is none.
        files: links to the same as data.
    """
    held = {"Days": record.days}
    held |= {f"Totals of {days} days": each for days, each in record.totals.items()}

    def shown(week: Week) -> Shown:
        name = week.package
        label = labels.get(name, name)
        return Shown(label, place(name), week_sentence(week, ""))

    return templates.plain(
        "record.html",
        document,
        root,
        links,
        title=RECORD_TITLE,
        sentences=record_sentences(record),
        held=[_held(what, each) for what, each in held.items() if each.compared],
        surprises=[
            (shown(week), Markup(picture(week)))  # noqa: S704 - made by forecast.document.surprise
            for week in record.surprises
        ],
        last_week=last_week_sentences(last) or ["No week has been compared with its counts yet."],
        weeks=[shown(week) for week in last.weeks[:MOST_WEEKS]],
        more=max(len(last.weeks) - MOST_WEEKS, 0),
        files=files,
    )


def _held(what: str, coverage: Coverage) -> list[str]:
    shares = (coverage.inside_80, coverage.inside_95)
    told = ["too few" if share is None else format_percent(share) for share in shares]
    return [what, f"{coverage.compared:,}", *told]
