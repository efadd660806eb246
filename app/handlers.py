"""The handlers that gradio calls when the page opens, a control changes, or newer counts come."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator  # noqa: TC003 - gradio reads the annotations
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components.plot import PlotData

from app.data.forecasts import BUNDLE_TIMEOUT, CATCH_UP_TIMEOUT
from app.view import content
from app.view.state import Mode, Scale, View, chosen, parse_view, theme_of
from app.web.guard import client_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from app.data.forecasts import Forecasts
    from app.data.live_counts import Counts

MAX_SESSIONS = 200  # remembered; for gradio every call of an endpoint is a session too


class LatestViews:
    """The view that each session chose last, so that a late result never replaces a newer one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._views: OrderedDict[str, tuple[View, tuple[Counts, ...]]] = OrderedDict()

    def set(self, session: str | None, view: View, counts: tuple[Counts, ...] = ()) -> None:
        """Remember a view and its newest counts; forget the session that chose longest ago."""
        with self._lock:
            self._views[session or ""] = view, counts
            self._views.move_to_end(session or "")
            while len(self._views) > MAX_SESSIONS:
                self._views.popitem(last=False)

    def get(self, session: str | None) -> View | None:
        """The session's last view; None if it is forgotten."""
        return self._of(session)[0]

    def counts(self, session: str | None) -> tuple[Counts, ...]:
        """The newest counts when it was chosen."""
        return self._of(session)[1]

    def _of(self, session: str | None) -> tuple[View | None, tuple[Counts, ...]]:
        with self._lock:
            return self._views.get(session or "", (None, ()))

    def renew(self, session: str | None, view: View, counts: tuple[Counts, ...]) -> bool:
        """Remember the counts that a view shows by now; False if another one was chosen."""
        with self._lock:
            known = self._views.get(session or "")
            if known is None or known[0] != view:
                return False
            self._views[session or ""] = view, counts
            return True

    def has_left(self, session: str | None, view: View) -> bool:
        """Whether the session's last view is another one."""
        return self.get(session) != view


class Handlers:
    """The page's three handlers; each returns values or updates for the page's components.

    Args:
        forecasts: the forecasts of all packages.
        clock: the current time, UTC.
    """

    def __init__(self, forecasts: Forecasts, clock: Callable[[], dt.datetime]) -> None:
        self._forecasts = forecasts
        self._clock = clock
        self._latest = LatestViews()

    def load(self, request: gr.Request) -> Iterator[list[Any]]:
        """Show the view of the page's address: controls, then content.

        While the first bundle is loading, a note takes the place of the content. Nothing changes
        if another view was chosen meanwhile.
        """
        session = request.session_hash
        view = parse_view(dict(request.query_params))
        self._choose(session, view)
        if not self._forecasts.store.snapshot.looked:
            yield [*self._controls(view), *_content(content.loading())]
            self._forecasts.store.wait(BUNDLE_TIMEOUT)
            if self._latest.has_left(session, view):
                yield gr.skip()
                return
        if "package" not in request.query_params:
            view = replace(view, packages=self._forecasts.first())
            self._choose(session, view)
        if self._is_new(view):
            yield [*self._controls(view), *_content(content.fetching(view))]
        shown = [*self._controls(view), *self._show(view, request)]
        yield gr.skip() if self._latest.has_left(session, view) else shown

    def change(  # noqa: PLR0917 - gradio passes the components' values in their order
        self,
        package: str | None,
        others: list[str] | None,
        days: int,
        scale: Scale,
        mode: Mode,
        request: gr.Request,
        event: gr.EventData,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio looks for exactly this
    ) -> Iterator[Any]:
        """Show the view of the controls: the package's name, then content.

        While a package is fetched and trained, a note takes the place of the content. Nothing
        changes if another view was chosen meanwhile.
        """
        session = request.session_hash
        if _is_echo(event, others, self._latest.get(session)):
            yield gr.skip()
            return
        view = replace(chosen(package, others or []), scale=scale, days=days, mode=mode)
        self._choose(session, view)
        label = view.packages[0].label if view.packages else package
        name = gr.update() if label == package else gr.update(value=label)
        if self._is_new(view):
            yield [name, *_content(content.fetching(view))]

        def report(part: float, text: str) -> None:
            if not self._latest.has_left(session, view):  # else it would cover a newer chart
                progress(part, desc=text)

        shown = self._show(view, request, report=report)
        yield gr.skip() if self._latest.has_left(session, view) else [name, *shown]

    def _is_new(self, view: View) -> bool:
        """Whether the first package has to be fetched and trained."""
        return bool(view.packages) and self._forecasts.takes_long(view.packages[0])

    def catch_up(self, request: gr.Request) -> Any:
        """Show the last view again with the newer days it lacks: content, except the link.

        Nothing changes if it lacks none, or if another view was chosen meanwhile.
        """
        view = self._latest.get(request.session_hash)
        if view is None or not self._lacks_days(view, request.session_hash):
            return gr.skip()
        shown = self._show(view, request, wait=CATCH_UP_TIMEOUT)
        newest = self._forecasts.newest(view.packages)
        if not self._latest.renew(request.session_hash, view, newest):
            return gr.skip()
        return [*shown[:-1], gr.skip()]

    def _choose(self, session: str | None, view: View) -> None:
        self._latest.set(session, view, self._forecasts.newest(view.packages))

    def _lacks_days(self, view: View, session: str | None) -> bool:
        """Whether newer counts are being fetched, or have come since the view was chosen."""
        newest = self._forecasts.newest(view.packages)
        return newest != self._latest.counts(session) or any(
            map(self._forecasts.pending, view.packages)
        )

    def _show(self, view: View, request: gr.Request, **options: Any) -> list[Any]:
        client, theme = client_of(request), theme_of(request.query_params)
        return _content(
            content.show(
                self._forecasts, view, self._clock(), client=client, theme=theme, **options
            )
        )

    def _controls(self, view: View) -> list[Any]:
        """Package, others, days, scale and mode."""
        labels = [package.label for package in view.packages]
        return [
            gr.update(value=labels[0] if labels else view.typed),
            gr.update(value=[*labels[1:], *view.refused]),
            view.days,
            view.scale,
            view.mode,
        ]


def _is_echo(event: gr.EventData, others: list[str] | None, latest: View | None) -> bool:
    """Whether the page itself has filled in the list of others, as it opened a link.

    The other controls may not have been filled in by then.
    """
    if latest is None or getattr(event.target, "elem_id", None) != "compare":
        return False
    labels = [package.label for package in latest.packages[1:]]
    return (others or []) == [*labels, *latest.refused]


def _content(shown: content.PageContent) -> list[Any]:
    """The page's outputs, in the order in which it lays them out; the link is the last."""
    figure = None if shown.figure is None else PlotData(type="plotly", plot=shown.figure)
    return [
        gr.update(value=shown.banner, visible=bool(shown.banner)),
        f'<div data-title="{escape(shown.title)}">{shown.headline}</div>',
        gr.update(value=shown.warnings, visible=bool(shown.warnings)),
        gr.update(value=figure, visible=figure is not None),
        # Without enough whole months the stylesheet hides that choice.
        gr.update(visible=figure is not None, elem_classes=[] if shown.monthly else ["short"]),
        shown.facts,
        shown.exports,
        shown.details,
        shown.numbers,
        shown.query,
    ]
