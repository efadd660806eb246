"""From a view to everything that the page shows."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from app.view import chart
from app.view.curves import months_known, shown_events
from app.view.layout import Surroundings
from app.view.state import View, address_of, record_address
from forecast.document import addresses, markup
from forecast.errors import ForecastError
from forecast.presentation import wording
from forecast.presentation.notices import Notice, notices, unusual_weeks

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from app.data.forecasts import Forecasts
    from app.data.store import Snapshot
    from forecast.config import Config, Package
    from forecast.presentation.package_forecast import PackageForecast

log = logging.getLogger(__name__)

FIRST = {"sample", "error"}  # kinds of notices that stand above the headline, the others below


@dataclass(frozen=True)
class PageContent:
    """The contents of the page's parts; HTML, except for the figure's JSON.

    Attributes:
        title: of the tab, as plain text.
        description: the answer in a sentence for each package, as plain text.
        figure: None where there is nothing to draw.
        query: the query string that opens this view again.
        monthly: whether months can be shown.
    """

    title: str = wording.TITLE
    description: str = wording.DESCRIPTION
    banner: str = ""
    headline: str = ""
    figure: str | None = None
    warnings: str = ""
    facts: str = ""
    exports: str = ""
    details: str = ""
    numbers: str = ""
    query: str = ""
    monthly: bool = False


def show(
    forecasts: Forecasts,
    view: View,
    now: dt.datetime,
    *,
    wait: float = 0.0,
    report: Callable[[float, str], None] = lambda _part, _text: None,
    client: str = "",
    whole: bool = True,
    theme: str = "",
) -> PageContent:
    """The content of a view; never raises, so that the page can always say what is wrong.

    Args:
        forecasts: of all packages.
        view: what the visitor has chosen.
        now: the current time, UTC.
        wait: seconds to wait for newer days.
        report: called with the progress of a training, from 0 to 1, and a text.
        client: who asks: rate limits, and turns to draw, are by client.
        whole: whether all parts are wanted, and not only those above the chart and the facts.
        theme: that the links to other pages keep; empty for the visitor's own setting.
    """
    ask = partial(forecasts.package_forecast, wait=wait, report=report, client=client)
    try:
        found = _package_forecasts(view, ask)
        with forecasts.computing.turn(client):
            return _show(forecasts, view, now, *found, whole=whole, theme=theme)
    except Exception as error:
        log.exception("drawing %s failed", view.query)
        text = (
            f"This view could not be drawn because of an unexpected {type(error).__name__}: "
            "choose another one, or look at the log of the app."
        )
        return _message("Nothing to show", text, view)


def loading() -> PageContent:
    """The content while the app loads its first bundle."""
    return PageContent(headline=markup.empty("One moment", wording.loading()))


def fetching(view: View) -> PageContent:
    """The content while a package without a model is fetched and trained."""
    return _message(
        f"Forecast for {view.packages[0].label}", wording.fetching(view.packages[0].label), view
    )


def _message(
    title: str, text: str, view: View, banner: str = "", warnings: str = ""
) -> PageContent:
    """A title and a text instead of a forecast."""
    return PageContent(
        title=f"{title} - {wording.TITLE}",
        banner=banner,
        headline=markup.empty(title, text),
        warnings=warnings,
        query=view.query,
    )


def _show(
    forecasts: Forecasts,
    view: View,
    now: dt.datetime,
    shown: list[PackageForecast],
    problems: list[Notice],
    *,
    whole: bool,
    theme: str,
) -> PageContent:
    snapshot = forecasts.store.snapshot
    config = forecasts.store.config
    repository = f"{config.username}/{config.repo_name}"
    manifest = snapshot.manifest
    configured = forecasts.store.configured
    found = notices(manifest, shown, now, configured, repository, problem=snapshot.problem)
    if not shown:
        return _without_forecast(view, problems, found)
    told = [*(wording.no_name(text.strip()) for text in view.refused), *view.ignored]
    found += [*problems, *(Notice("warning", text) for text in told)]
    found += unusual_weeks(forecasts.records.unusual, shown)
    hint = wording.near_zero(shown) if view.scale == "absolute" else ""
    found += [Notice("info", hint)] if hint else []
    first, rest = found[:1], found[1:]  # one notice above the chart
    events = config.events

    def place(name: str) -> str:
        known = manifest and manifest.model_of(name)
        return address_of(name, view, theme) if known else ""

    answer = PageContent(
        title=wording.title(shown),
        description=" ".join(wording.headline(each, events) for each in shown),
        banner=markup.notices(first if first and first[0].kind in FIRST else []),
        headline=markup.headline(shown, events, place),
        warnings=markup.notices(first if first and first[0].kind not in FIRST else []),
        facts=markup.notices(rest)
        + markup.owner(found)
        + markup.facts(shown, manifest, record_address(view, theme), events),
        query=view.query,
        monthly=view.mode == "monthly" or months_known(shown),
    )
    if not whole:
        return answer
    mirrors = manifest.mirrors if manifest else config.mirrors
    published = any(not forecast.on_demand for forecast in shown)
    origin = markup.origin(snapshot.provenance, asked=config.verify_attestation)
    source = manifest.source if manifest and not shown[0].on_demand else "pypistats"
    marked = shown_events(shown, view, events)
    around = Surroundings(now.date(), wording.source(source), marked)
    return replace(
        answer,
        figure=chart.to_json(chart.draw(shown, view, around)),
        exports=_exports(view) + _embedding(snapshot, view, config),
        details=markup.details(
            shown,
            marked,
            mirrors=mirrors,
            origin=origin if published else "",
            repository=config.repository_url,
            place=place,
        ),
        numbers=markup.numbers(shown),
    )


def _exports(view: View) -> str:
    """The data of a view as files."""
    name = view.packages[0].name
    return markup.exports(
        name, {kind: f"export/{name}.{kind}{view.query}" for kind in ("csv", "json")}
    )


def _embedding(snapshot: Snapshot, view: View, config: Config) -> str:
    """The pictures of the first package; empty without any, as of sample data.

    Their addresses are those of the site, if there is one: this page may sleep.
    """
    package = view.packages[0]
    chart, badge = f"picture/{package.name}.svg", f"picture/{package.name}.badge.svg"
    bundle = snapshot.bundle if snapshot.manifest and snapshot.manifest.shareable else None
    if bundle is None or bundle.picture(f"{package.name}.svg") is None:
        return ""
    if config.site:
        folder = f"{config.site}{addresses.folder(package.name)}"
        published = [f"{folder}{addresses.CHART}", f"{folder}{addresses.BADGE}"]
        link, shields = folder, addresses.drawn_by_shields(folder)
    else:
        published = [f"{markup.HERE}{chart}", f"{markup.HERE}{badge}"]
        link, shields = f"{markup.HERE}{View((package,)).query}", ""
    pictures = map(markup.Picture, ("Chart", "Badge"), (chart, badge), published)
    return markup.embedding(package, link, tuple(pictures), shields)


def _package_forecasts(
    view: View, ask: Callable[[Package], PackageForecast]
) -> tuple[list[PackageForecast], list[Notice]]:
    """The forecasts of a view, and the errors of the others; none if the first package fails."""
    shown: list[PackageForecast] = []
    problems: list[Notice] = []
    for package in view.packages:
        try:
            forecast = ask(package)
        except ForecastError as error:
            problems.append(Notice("warning", str(error), error.owner))
            if not shown:
                break
        else:
            shown.append(forecast)
    return shown, problems


def _without_forecast(view: View, problems: list[Notice], found: list[Notice]) -> PageContent:
    """The reason that there is no forecast, with the notices that do not repeat it."""
    reasons = " ".join(problem.text for problem in problems)
    told = [each for each in found if not (each.owner and each.owner in reasons)]
    banner = [each for each in told if each.kind in FIRST and each.text not in reasons]
    if problems:
        title, text = f"No forecast for {view.packages[0].label}", problems[0].text
    elif view.typed and view.typed.strip():
        title, text = "Not the name of a package", wording.no_name(view.typed.strip())
    else:
        title, text = wording.NOTHING_CHOSEN
    owner = markup.owner([*told, *problems])
    return _message(title, text, view, markup.notices(banner), owner)
