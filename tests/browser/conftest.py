"""One Chromium and one app for all browser tests, and pages that they share."""

from __future__ import annotations

import datetime as dt
import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, TimeoutError  # noqa: A004 - of Playwright's waits

from forecast.presentation.wording import format_day
from tests.browser.chromium import NoChromiumError, chromium
from tests.browser.states import all_well, today

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from axe_playwright_python.base import AxeResults
    from playwright.sync_api import Browser, BrowserContext, Page, Route, ViewportSize

    from tests.appserver import AppServer
    from tests.standins.github import GitHubServer
    from tests.standins.pypistats import PyPIStatsServer

TODAY = today()
TRAINED = TODAY - dt.timedelta(days=3)
OBSERVED = TODAY - dt.timedelta(days=1)
PLAIN = {"Accept-Encoding": "identity"}  # a new app would pack its files in 8 s of a core
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 800}


# As Back and Forward do, which the page answers by drawing the view of the address.
GO = """address => {
  history.pushState(null, "", address);
  dispatchEvent(new PopStateEvent("popstate"));
}"""
SHOWN = "address => location.href === address && document.querySelector('#headline h2') !== null"
ANSWERED = "window.forecastPage?.pending === 0"
FIT = "window.Plotly?.Plots.resize(document.querySelector('#chart .js-plotly-plot'))"
# Whether chart and packages have their newest day: until then all may be drawn once more.
NEWEST = """([day, text]) => {
  const plot = document.querySelector("#chart .js-plotly-plot");
  if (!plot?.layout?.meta.file.endsWith(day)) return false;
  const told = [...document.querySelectorAll("#facts .compared tbody td:last-child")];
  if (told.length) return told.every((cell) => cell.textContent === text);
  return document.querySelector(`#facts time[datetime="${day}"]`) !== null;
}"""
# gradio fades what it redraws, and halfway a colour has too little contrast.
STILL = """() => !document.querySelector(".pending") && document.getAnimations().every(
  (each) => each.playState !== "running" || each.effect.getTiming().iterations === Infinity
)"""
# As a page that nobody has touched yet: Tab begins at the top again.
UNTOUCHED = """() => {
  for (const opened of document.querySelectorAll("button.label-wrap.open")) opened.click();
  for (const opened of document.querySelectorAll("details[open]")) opened.open = false;
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute("tabindex");
  scrollTo(0, 0);
}"""


@dataclass
class Visit:
    """A page in Chromium, with its requests and errors.

    Attributes:
        hosts: every host that a request was sent to.
        errors: texts of the console and of uncaught exceptions.
        held: the requests that wait.
    """

    page: Page
    url: str
    hosts: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    held: list[Route] = field(default_factory=list)

    def load(self, query: str = "", *, drawn: bool = True) -> Visit:
        """Load an address, and wait for the chart, if one is expected."""
        left, before = self.page.url != "about:blank", len(self.errors)
        self.page.goto(self.url + query)
        if left:
            del self.errors[before:]  # gradio reports the calls that it ends when it is left
        if drawn:
            self.wait_for_chart()
            self.wait_until_answered()
        else:
            self.page.locator("#headline h2").wait_for()
        return self

    def open(self, query: str = "", *, drawn: bool = True) -> Visit:
        """Show a view: a new page loads it, any other goes to it without a load."""
        if self.page.url == "about:blank":
            return self.load(query, drawn=drawn)
        self.wait_until_answered()
        if not self.page.evaluate(SHOWN, self.url + query):
            self.page.evaluate(GO, self.url + query)
            self.wait_until_answered()
        if drawn:
            self.wait_for_chart()
        return self

    def wait_until_answered(self, **options: float) -> None:
        """Until every call of the page is answered; the first ones fill the controls."""
        # By a timer, as a page that another one covers may paint no frame.
        self.page.wait_for_function(ANSWERED, polling=50, **options)

    def settles(self) -> bool:
        """Whether what an earlier test has begun comes to its end."""
        try:
            self.wait_until_answered(timeout=10_000)
        except TimeoutError:
            return False
        return True

    def resize(self, viewport: ViewportSize) -> None:
        """Give the page another size, and wait until its chart has it too."""
        if self.page.viewport_size != viewport:
            self.page.set_viewport_size(viewport)
            if self.page.locator("#chart .js-plotly-plot").count():
                self.page.evaluate(FIT)

    def hold(self, address: re.Pattern[str]) -> list[Route]:
        """The requests to an address from now on; they wait to be continued, or let go."""

        def keep(route: Route) -> None:
            self.held.append(route)

        self.page.route(address, keep)
        return self.held

    def let_go(self) -> None:
        """Hold no request any more; one that waits for ever is an error in a later test's log."""
        self.page.unroute_all()
        for route in self.held:
            with suppress(Error):  # where it was continued
                route.fallback()
        self.held.clear()

    def reset(self) -> None:
        """Undo what a visitor does to a page, except for the choice of a view."""
        self.let_go()
        self.page.mouse.move(0, 0)
        self.page.evaluate(UNTOUCHED)
        self.wait_until_answered()

    def check(self) -> None:
        """Nothing has failed, and only the app was asked."""
        assert self.errors == []
        assert self.hosts == {urlsplit(self.url).netloc}

    def wait_for_chart(self) -> None:
        self.page.locator("#chart .main-svg").first.wait_for()
        # The address bar is updated last.
        self.page.wait_for_function("document.querySelector('#link textarea, #link input').value")

    def wait_for_newest(self) -> None:
        """Until the newest days have come, so that nothing moves any more."""
        newest = [OBSERVED.isoformat(), format_day(OBSERVED)]
        self.page.wait_for_function(NEWEST, arg=newest, polling=50)

    def wait_for_answer(self, query: str) -> None:
        """Until this view is drawn: the address changes before, the link after that."""
        self.page.wait_for_function(
            "link => document.querySelector('#link textarea, #link input')?.value === link",
            arg=self.url + query,
        )

    def wait_for_title(self, text: str) -> None:
        self.page.locator("#headline h2", has_text=text).wait_for()

    def traces(self) -> list[dict]:
        """The traces that plotly.js has drawn."""
        return self.page.evaluate(
            "document.querySelector('#chart .js-plotly-plot').data.map(each => "
            "({name: each.name, x: each.x, y: each.y, text: each.text}))"
        )

    def trace(self, name: str) -> dict:
        [found] = [each for each in self.traces() if each["name"] == name]
        return found

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text().replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as browser:
            yield browser
    except NoChromiumError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Iterator[tuple[AppServer, GitHubServer, PyPIStatsServer]]:
    """A page without a fault, and the servers that it asks; any package can be trained."""
    with all_well(tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture(scope="session")
def app(world) -> AppServer:
    return world[0]


@pytest.fixture(scope="session")
def pypistats(world) -> PyPIStatsServer:
    return world[2]


@pytest.fixture(scope="session")
def context(browser) -> Iterator[BrowserContext]:
    """Its pages share a cache and a process, so that all but the first load quickly."""
    made = browser.new_context(accept_downloads=True)
    keep_process(made)
    yield made
    made.close()


@pytest.fixture
def scriptless(browser) -> Iterator[BrowserContext]:
    """Its pages run no scripts; they end with it: one that is loading may never close alone."""
    made = browser.new_context(java_script_enabled=False)
    yield made
    made.close()


def keep_process(context: BrowserContext) -> None:
    """Open an empty page: without any page the process would end, with all that it has compiled."""
    page = context.new_page()
    page.route("**/*", lambda route: route.fulfill(body=""))
    page.goto("http://127.0.0.1/")  # of the same site as every app: a site does not have a port


@pytest.fixture(scope="session")
def port() -> Iterator[int]:
    """For one app after the other: the browser has their scripts already, by their address.

    It is bound, so that nobody else gets it, but not listened on, so that an app can do that.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture(scope="session")
def tabs() -> dict[tuple[str, str], Visit]:
    """The page of each app and scheme, which tests share."""
    return {}


@pytest.fixture
def visit(context, app, tabs, request) -> Iterator[Visit]:
    """A page as if new, but loaded; ``parametrize("visit", [...], indirect=True)`` sets it up."""
    setup = {"viewport": DESKTOP, "scheme": "light", **getattr(request, "param", {})}
    key = (app.url, setup["scheme"])
    visit = tabs.pop(key, None)
    if visit and not visit.settles():
        visit.page.close()
        visit = None
    visit = visit or watched(context, app.url, setup["scheme"])
    visit.resize(setup["viewport"])
    failed = request.session.testsfailed
    yield visit
    if request.session.testsfailed > failed:  # whatever it left cannot fail another test
        visit.page.close()
        return
    visit.reset()
    visit.check()
    tabs[key] = visit


@pytest.fixture
def new_visit(context, app) -> Iterator[Visit]:
    """A page of this test alone, not loaded yet."""
    visit = watched(context, app.url)
    visit.resize(DESKTOP)
    yield visit
    visit.page.close()
    visit.check()


@contextmanager
def opened(
    parent: Browser | BrowserContext, url: str, viewport=None, scheme="light"
) -> Iterator[Visit]:
    """A page for the time of a block; that of a browser has an empty cache."""
    visit = watched(parent, url, scheme)
    visit.resize(viewport or DESKTOP)
    try:
        yield visit
    finally:
        visit.page.close()


def places(page: Page) -> dict[str, list[int]]:
    """Where the parts above the chart are, in pixels from the top: begin and height."""
    box = "part => document.querySelector(part)?.getBoundingClientRect()"
    boxes = {part: page.evaluate(box, part) for part in ("h1", ".notice", "h2", ".answer")}
    return {part: [round(box["y"]), round(box["height"])] for part, box in boxes.items() if box}


def places_without_scripts(
    scriptless: BrowserContext, address: str, viewport
) -> dict[str, list[int]]:
    """Where the first response has them."""
    visit = watched(scriptless, address)
    visit.resize(viewport)
    visit.page.goto(address)
    return places(visit.page)


def watched(parent: Browser | BrowserContext, url: str, scheme="light") -> Visit:
    """A new page whose requests and errors are recorded; it asks for files as they are."""
    page = parent.new_page()
    page.set_extra_http_headers(PLAIN)
    page.emulate_media(color_scheme=scheme)
    page.set_default_timeout(60_000)  # only a busy machine needs more than 10
    visit = Visit(page, url)

    def note_request(request) -> None:
        if urlsplit(request.url).scheme not in {"data", "blob"}:
            visit.hosts.add(urlsplit(request.url).netloc)

    def note_message(message) -> None:
        if message.type == "error":
            visit.errors.append(f"{message.text} ({message.location.get('url', '')})")

    visit.page.on("request", note_request)
    visit.page.on("console", note_message)
    visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
    return visit


class StillAxe:
    """axe for a page on which nothing fades any more."""

    def __init__(self) -> None:
        self._axe = Axe()

    def run(self, page: Page) -> AxeResults:
        page.wait_for_function(STILL, polling=50)
        return self._axe.run(page)


@pytest.fixture(scope="session")
def axe() -> StillAxe:
    return StillAxe()
