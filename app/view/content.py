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

    from app.data.forecasts import Forecasts
    from app.data.package_forecast import PackageForecast
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
    forecasts: Forecasts,
    view: View,
    now: dt.datetime,
    *,
    wait: float = 0.0,
    report: Callable[[float, str], None] = lambda _part, _text: None,
    client: str = "",
) -> Shown:
    """Everything of a view; never raises, as a page that says why is better than none.

    Args:
        forecasts: gives the shown.
        view: what was chosen.
        now: the present moment, UTC.
        wait: seconds to wait for newer days.
        report: told how far a training is.
        client: who asks.
    """
    ask = partial(forecasts.package_forecast, wait=wait, report=report, client=client)
    try:
        return _show(forecasts, view, now, ask)
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
    forecasts: Forecasts,
    view: View,
    now: dt.datetime,
    ask: Callable[[Package], PackageForecast],
) -> Shown:
    snapshot = forecasts.store.snapshot
    shown, problems = _package_forecasts(view, ask)
    found = wording.notices(snapshot, shown, now, forecasts.store.configured)
    if not shown:
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
    config = forecasts.store.config
    events = config.events
    manifest = snapshot.bundle.manifest if snapshot.bundle else None
    mirrors = manifest.mirrors if manifest else config.mirrors
    published = any(not forecast.on_demand for forecast in shown)
    origin = markup.origin(snapshot.provenance, asked=config.verify_attestation)
    file_name = "-".join(forecast.package.name for forecast in shown)
    return Shown(
        banner=markup.notices([notice for notice in found if notice.kind in ABOVE]),
        headline=markup.headline(shown, events),
        figure=chart.to_json(chart.draw(shown, view, events), f"{file_name}-forecast"),
        warnings=markup.notices([notice for notice in found if notice.kind not in ABOVE]),
        facts=markup.facts(shown, manifest),
        exports=markup.exports(view),
        details=markup.details(
            shown, view, events, mirrors=mirrors, origin=origin if published else ""
        ),
        numbers=markup.numbers(shown),
        query=view.query,
    )


def _package_forecasts(
    view: View, ask: Callable[[Package], PackageForecast]
) -> tuple[list[PackageForecast], list[str]]:
    """The shown that can be had, and why the others cannot; none without the first."""
    shown: list[PackageForecast] = []
    problems: list[str] = []
    for package in view.packages:
        try:
            forecast = ask(package)
        except ForecastError as error:
            problems.append(str(error))
            if not shown:
                break
        else:
            shown.append(forecast)
    return shown, problems


def _why_empty(view: View, problems: list[str]) -> tuple[str, str]:
    if problems:
        return f"No forecast for {view.packages[0].label}", problems[0]
    text = (
        "Choose a package, or type the name of any package on PyPI: letters, digits, and "
        "'.', '_' or '-' between them."
    )
    return "No package chosen", text
