"""One state of the page: from what a visitor chose to everything that is shown."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from app.view import chart, markup, wording
from app.view.wording import Notice
from forecast.errors import ForecastError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from app.data.forecasts import Almanac
    from app.data.package_forecast import Outlook
    from app.view.state import View
    from forecast.config import Package

log = logging.getLogger(__name__)

ABOVE = {"sample", "error"}  # kinds of notices that come before the forecast


@dataclass(frozen=True)
class Shown:
    """What the page's parts hold; HTML, but for the figure's JSON.

    Attributes:
        figure: None where there is nothing to draw.
        query: opens this view again.
    """

    banner: str = ""
    headline: str = ""
    figure: str | None = None
    warnings: str = ""
    facts: str = ""
    exports: str = ""
    details: str = ""
    numbers: str = ""
    query: str = ""


def show(
    almanac: Almanac,
    view: View,
    now: dt.datetime,
    *,
    wait: float = 0.0,
    report: Callable[[float, str], None] = lambda _part, _text: None,
    visitor: str = "",
) -> Shown:
    """Everything of a view; never raises, as a page that says why is better than none.

    Args:
        almanac: gives the outlooks.
        view: what was chosen.
        now: the present moment, UTC.
        wait: seconds to wait for newer days.
        report: told how far a training is.
        visitor: who asks.
    """
    ask = partial(almanac.outlook, wait=wait, report=report, visitor=visitor)
    try:
        return _show(almanac, view, now, ask)
    except Exception as error:  # the page stays up
        log.exception("drawing %s failed", view.query)
        text = (
            f"Drawing this view failed unexpectedly ({type(error).__name__}); "
            "choose another, or see the app's log."
        )
        return Shown(headline=markup.empty("Nothing to show", text), query=view.query)


def loading() -> Shown:
    """While the first bundle is on its way."""
    return Shown(headline=markup.empty("One moment", wording.loading()))


def _show(
    almanac: Almanac,
    view: View,
    now: dt.datetime,
    ask: Callable[[Package], Outlook],
) -> Shown:
    snapshot = almanac.store.snapshot
    outlooks, problems = _outlooks(view, ask)
    found = wording.notices(snapshot, outlooks, now, almanac.store.configured)
    if not outlooks:
        banner = [notice for notice in found if notice.kind in ABOVE]
        said = " ".join(problems)
        banner = [notice for notice in banner if notice.text not in said]
        title, text = _why_empty(view, problems)
        return Shown(
            banner=markup.notices(banner),
            headline=markup.empty(title, text),
            query=view.query,
        )
    found += [Notice("warning", problem) for problem in problems]
    config = almanac.store.config
    events = config.events
    manifest = snapshot.bundle.manifest if snapshot.bundle else None
    mirrors = manifest.mirrors if manifest else config.mirrors
    published = any(not outlook.on_the_spot for outlook in outlooks)
    origin = markup.origin(snapshot.provenance, asked=config.verify_attestation)
    file_name = "-".join(outlook.package.name for outlook in outlooks)
    return Shown(
        banner=markup.notices([notice for notice in found if notice.kind in ABOVE]),
        headline=markup.headline(outlooks, events),
        figure=chart.to_json(chart.draw(outlooks, view, events), f"{file_name}-forecast"),
        warnings=markup.notices([notice for notice in found if notice.kind not in ABOVE]),
        facts=markup.facts(outlooks, manifest),
        exports=markup.exports(view),
        details=markup.details(
            outlooks, view, events, mirrors=mirrors, origin=origin if published else ""
        ),
        numbers=markup.numbers(outlooks),
        query=view.query,
    )


def _outlooks(view: View, ask: Callable[[Package], Outlook]) -> tuple[list[Outlook], list[str]]:
    """The outlooks that can be had, and why the others cannot; none without the first."""
    outlooks: list[Outlook] = []
    problems: list[str] = []
    for package in view.packages:
        try:
            outlook = ask(package)
        except ForecastError as error:
            problems.append(str(error))
            if not outlooks:
                break
        else:
            outlooks.append(outlook)
    return outlooks, problems


def _why_empty(view: View, problems: list[str]) -> tuple[str, str]:
    if problems:
        return f"No forecast for {view.packages[0].label}", problems[0]
    text = (
        "Choose a package, or type the name of any package on PyPI: letters, digits, and "
        "'.', '_' or '-' between them."
    )
    return "No package chosen", text
