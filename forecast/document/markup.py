"""The HTML of the page: escaped text in semantic elements."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from forecast.presentation import wording
from forecast.text import clean, markup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from forecast.bundle.manifest import Manifest
    from forecast.config import Event, Package
    from forecast.github.artifact import Provenance
    from forecast.presentation.notices import Notice
    from forecast.presentation.package_forecast import PackageForecast

LABELS = {"sample": "Sample data", "warning": "Warning", "info": "Note", "error": "Problem"}

MOST_LINKED = 200  # parts of a group; a link takes some 60 bytes, and a group has up to a thousand
HERE = "\0"  # begins an address that only the reader's browser knows
PAGE_ADDRESS = "<span data-page></span>"
SHIELDS_OPTIONS = ("label", "color", "labelColor", "style")

INTRODUCTION = f"<h1>{wording.TITLE}</h1>\n<p>{wording.QUESTION}</p>"


def notices(found: Sequence[Notice]) -> str:
    """The notices as a list; empty without any."""
    items = [
        f'<li class="notice {notice.kind}"><strong>{LABELS[notice.kind]}:</strong> '
        f"{_code(notice.text)}</li>"
        for notice in found
    ]
    return f'<ul class="notices">{"".join(items)}</ul>' if items else ""


def owner(found: Sequence[Notice]) -> str:
    """What the owner of the page can do, folded up; empty if nothing."""
    items = [
        f"<li>{_code(text)}</li>" for text in dict.fromkeys(each.owner for each in found) if text
    ]
    if not items:
        return ""
    lines = f"<ul>{''.join(items)}</ul>"
    return f'<details class="owner"><summary>For the owner</summary>{lines}</details>'


def nowhere(_name: str) -> str:
    """The address of a package where there is none."""
    return ""


def headline(
    shown: Sequence[PackageForecast],
    events: Sequence[Event],
    place: Callable[[str], str] = nowhere,
) -> str:
    """The heading, the total of each package, and the parts of a group.

    Args:
        shown: the packages.
        events: those that may make a change of level mean nothing.
        place: address of the forecast of a package; empty if there is none.
    """
    title = f"<h2>Forecast for {markup(wording.format_names(shown))}</h2>"
    if len(shown) == 1:
        parts = _parts(shown[0], wording.MOST_PARTS, place)
        return f'{title}<p class="answer">{markup(wording.headline(shown[0], events))}</p>{parts}'
    items = "".join(f"<li>{markup(wording.brief(forecast))}</li>" for forecast in shown)
    return (
        f'{title}<p>Downloads in the next {shown[0].days} days:</p><ul class="answers">{items}</ul>'
    )


def _parts(forecast: PackageForecast, most: int, place: Callable[[str], str]) -> str:
    """Of which packages a group is the sum, those with a forecast as links; empty for a package."""
    linked = {part.name for part in forecast.parts[:MOST_LINKED]}

    def written(name: str) -> str:
        address = place(name) if name in linked else ""
        return f'<a href="{escape(address)}">{markup(name)}</a>' if address else markup(name)

    told = wording.parts(forecast, most, written)
    return f'<p class="parts">{told}</p>' if told else ""


def empty(title: str, text: str) -> str:
    """A heading and a text instead of a forecast."""
    return f'<h2>{markup(title)}</h2><p class="answer empty">{_code(text)}</p>'


def facts(
    shown: Sequence[PackageForecast],
    manifest: Manifest | None,
    record: str,
    events: Sequence[Event] = (),
) -> str:
    """How accurate the forecast is, and how recent model and counts are.

    Args:
        shown: the packages.
        manifest: of the bundle in use.
        record: address of what is told of all packages.
        events: those that may make a change of level mean nothing.
    """
    if len(shown) == 1:
        return _facts_of_one(shown[0], manifest, record)
    return _facts_of_many(shown, manifest, events)


def _facts_of_one(forecast: PackageForecast, manifest: Manifest | None, address: str) -> str:
    sentences = " ".join(markup(sentence) for sentence in wording.accuracy(forecast))
    record = wording.track_record(forecast)
    if record:
        record = f'<p class="record">{markup(record)}</p>'
    dates = [(name, _time(day)) for name, day in wording.freshness(forecast, manifest)]
    return (
        '<div class="facts">'
        f"<section><h3>Week by week</h3>{_weeks(forecast)}</section>"
        f"<section><h3>Can you trust it?</h3><p>{sentences}</p>{record}"
        f'<p><a href="{escape(address)}">How good were the forecasts of all packages?</a></p>'
        f"<h3>How fresh is it?</h3>{_pairs(dates)}</section>"
        "</div>"
    )


def _weeks(forecast: PackageForecast) -> str:
    """The totals of the coming weeks and of all days, and what was counted so far."""
    rows = [
        [
            wording.format_days(span.first, span.last),
            *wording.format_total(span.total),
        ]
        for span in forecast.weeks
    ]
    if forecast.total is not None:
        rows.append([f"All {forecast.days} days", *wording.format_total(forecast.total)])
    table = _table(("Days", "Expected", "80 % band", "95 % band"), rows, "Totals") if rows else ""
    return f"{table}<p>{markup(wording.total_so_far(forecast))}</p>"


def _facts_of_many(
    shown: Sequence[PackageForecast], manifest: Manifest | None, events: Sequence[Event]
) -> str:
    days = max(forecast.compared_days for forecast in shown)
    heads = (
        "Package",
        f"A day, against the last {days} days",
        "Error, against repeating the last week",
        "Observed through",
    )
    rows = [
        [
            forecast.package.label,
            wording.change_a_day(forecast, events)
            or wording.no_counts(forecast)
            or wording.INCOMPARABLE,
            wording.error_difference(forecast.usual_error),
            wording.format_day(forecast.observed_through),
        ]
        for forecast in shown
    ]
    updated = wording.freshness(shown[0], manifest)[:1]
    return (
        '<div class="facts"><section class="compared">'
        "<h3>Can you trust it, and how fresh is it?</h3>"
        f"{_table(heads, rows, 'The packages compared')}"
        f"{_pairs([(name, _time(day)) for name, day in updated])}</section></div>"
    )


def details(
    shown: Sequence[PackageForecast],
    events: Sequence[Event],
    *,
    mirrors: bool,
    origin: str = "",
    repository: str = "",
    place: Callable[[str], str] = nowhere,
) -> str:
    """Models, repaired days, the events on the chart, definitions and links.

    ``origin`` is HTML already; for ``place`` see :func:`headline`.
    """
    parts = []
    for forecast in shown:
        repaired = forecast.series.repaired
        model = wording.model_summary(forecast)
        parts.append(f"<h3>{markup(forecast.package.label)}</h3><p>Model: {markup(model)}</p>")
        figures = [(name, markup(value)) for name, value in wording.error_figures(forecast)]
        parts.append(_pairs(figures))
        parts.append(_parts(forecast, len(forecast.parts), place))
        if repaired:
            days = ", ".join(_time(day) for day in repaired)
            parts.append(
                f"<p>Repaired days (estimated, because the count is missing or wrong): {days}.</p>"
            )
        else:
            parts.append("<p>Every day was counted; none was repaired.</p>")
    if events:
        items = "".join(f"<li>{markup(wording.event_note(event))}</li>" for event in events)
        parts.append(f"<h3>Marked on the chart</h3><ul>{items}</ul>")
    counted = "include" if mirrors else "leave out"
    parts.append(
        "<h3>How to read it</h3>"
        f"<p>Counts come from PyPI's download log and {counted} downloads by mirrors. "
        "\u201cProbably\u201d is the 80 % band: of five such ranges four should hold. The forecast "
        "starts on the day after the last observed day. Of the coming days, 80 % and 95 % should "
        "lie within the two bands, and half of them below the line, which is the median; the means "
        "add up to the total, whose band allows for correlated errors of neighbouring days. MASE "
        "is the mean absolute error divided by the usual change from one week to the next; the "
        "seasonal naive forecast repeats the last week.</p>"
    )
    parts.append(_links(shown, repository))
    return f'<div class="details">{"".join(parts)}{origin}</div>'


def _links(shown: Sequence[PackageForecast], repository: str) -> str:
    """Where to check: the counts of each package, the code, the method and the benchmarks."""
    links = [
        (
            f"{each.package.label} on PyPI Stats",
            f"https://pypistats.org/packages/{each.package.name}",
        )
        for each in shown
        if not each.package.is_group
    ]
    if repository:
        links += [
            ("Code", repository),
            ("Method", f"{repository}/blob/main/forecast/model/__init__.py"),
            ("Benchmarks", f"{repository}/blob/main/benchmarks/README.md"),
        ]
    items = "".join(f'<li><a href="{escape(url)}">{markup(name)}</a></li>' for name, url in links)
    return f"<h3>Check it</h3><ul>{items}</ul>"


def origin(provenance: Provenance | None, *, asked: bool) -> str:
    """The origin of the models, as far as it was verified."""
    text = _code(wording.origin(provenance, asked=asked))
    link = f' <a href="{escape(provenance.run_url)}">See the run.</a>' if provenance else ""
    return f"<h3>Where the models come from</h3><p>{text}{link}</p>"


def numbers(shown: Sequence[PackageForecast]) -> str:
    """The forecast of each package as a table."""
    heads = ("Day", "Mean", "Median", "80 %: from", "to", "95 %: from", "to")  # as BAND_COLUMNS
    parts = []
    for forecast in shown:
        rows = [
            [
                f"{dt.date.fromisoformat(day):%a %d %b %Y}",
                *wording.format_amounts(*values.values()),
            ]
            for day, values in forecast.daily.rows
        ]
        parts.append(_table(heads, rows, f"Daily downloads of {forecast.package.label}"))
    return "".join(parts)


def exports(name: str, files: Mapping[str, str]) -> str:
    """Links to the data of a package as files: the address of each by its kind."""
    made = [
        f'<a href="{escape(address)}" download="{name}.{kind}">{kind.upper()}</a>'
        for kind, address in files.items()
    ]
    return f'<p class="exports">History and forecast as {" or ".join(made)}.</p>'


@dataclass(frozen=True)
class Picture:
    """A picture that other pages can show.

    Attributes:
        title: what it is.
        source: its address on this page.
        address: its address for other pages; it may begin with ``HERE``.
    """

    title: str
    source: str
    address: str


def embedding(
    package: Package,
    link: str,
    pictures: Sequence[Picture],
    shields: str = "",
    *,
    copied: bool = True,
) -> str:
    """How to show the pictures of a package on another page.

    Args:
        package: whose pictures.
        link: address of the page that they lead to. If it begins with ``HERE``, embed.js writes
            the page's address.
        pictures: in their order.
        shields: address of a badge that shields.io draws; empty without one.
        copied: whether there are buttons to copy the texts, which need embed.js.
    """
    alt = clean(f"Forecast of the downloads of {package.label}")
    parts = []
    for each in pictures:
        markdown = f"[![{alt}]({each.address})]({link})"
        html = f'<a href="{escape(link)}"><img src="{each.address}" alt="{escape(alt)}"></a>'
        parts += [
            f'<h3>{each.title}</h3><img src="{each.source}" alt="{escape(alt)}" loading="lazy">',
            _snippet(markdown, f"Markdown of the {each.title.lower()}", copied=copied),
            _snippet(html, f"HTML of the {each.title.lower()}", copied=copied),
        ]
    if shields:
        options = ", ".join(f"<code>&amp;{name}=</code>" for name in SHIELDS_OPTIONS)
        parts += [  # not the badge itself: shields.io would see who reads this page
            f"<h3>Badge by shields.io</h3><p>Its address also takes {options}.</p>",
            _snippet(f"[![{alt}]({shields})]({link})", "badge by shields.io", copied=copied),
        ]
    theme = (
        "; <code>?theme=light</code> or <code>?theme=dark</code> behind the address of the picture "
        "fixes it"
    )
    return (
        '<details class="embed"><summary>Show it on your own page</summary>'
        "<p>The weekly run updates the pictures. The chart follows the reader's light or dark "
        f"setting{theme if pictures[0].address.startswith(HERE) else ''}.</p>"
        f'{"".join(parts)}<p role="status"></p></details>'
    )


def _snippet(text: str, what: str, *, copied: bool) -> str:
    """A text for another page, with a button to copy it."""
    button = f'<button type="button" aria-label="Copy the {what}">Copy</button>' if copied else ""
    return f"<div><code>{escape(text).replace(HERE, PAGE_ADDRESS)}</code>{button}</div>"


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    """A description list; the values are HTML already."""
    items = "".join(f"<div><dt>{markup(name)}</dt> <dd>{value}</dd></div>" for name, value in pairs)
    return f"<dl>{items}</dl>" if items else ""


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    head = "".join(f'<th scope="col">{markup(text)}</th>' for text in heads)
    body = "".join(
        f'<tr><th scope="row">{markup(row[0])}</th>'
        + "".join(f"<td>{markup(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    # A keyboard user must be able to reach a region that scrolls.
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{markup(caption)}">'
        f"<table><caption>{markup(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _time(day: dt.date) -> str:
    return f'<time datetime="{day.isoformat()}">{wording.format_date(day)}</time>'


def _code(text: str) -> str:
    """Escaped, with the text between backticks as code."""
    parts = markup(text).split("`")
    if len(parts) % 2 == 0:
        return markup(text)
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))
