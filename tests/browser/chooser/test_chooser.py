"""Search for a package among more than a thousand, in a real browser."""

import re

import pytest

from tests.browser.chooser.crowd import CROWD, crowded
from tests.browser.conftest import DESKTOP, PHONE

VIEW = "?package=fastapi"
QUIET = 600  # milliseconds after which no request follows
# As on a busy machine, where keys are handled before timers that were set earlier.
LATE_TIMERS = """least => {
  const { setTimeout } = window;
  window.setTimeout = (run, wait, ...rest) => setTimeout(run, Math.max(wait ?? 0, least), ...rest);
  return () => { window.setTimeout = setTimeout; };
}"""


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with crowded(tmp_path_factory.mktemp("crowd")) as running:
        yield running


@pytest.fixture
def asked(visit):
    """The browser's requests to the chooser's address."""
    found = []

    def note(request):
        if "find?" in request.url:
            found.append(request.url)

    visit.page.on("request", note)
    yield found
    visit.page.remove_listener("request", note)


def package(visit):
    return visit.page.get_by_label(re.compile("^Package,"))


def compare(visit):
    return visit.page.get_by_label(re.compile("^Compare"))


def options(visit):
    return visit.page.get_by_role("option")


def wait_for(visit, held, least):
    """Until there are so many requests, and perhaps more of them."""
    for _ in range(400):
        if len(held) >= least:
            break
        visit.page.wait_for_timeout(50)
    visit.page.wait_for_timeout(QUIET)


def note(visit, text):
    visit.page.get_by_role("status").filter(has_text=text).wait_for()


def leave(box, text):
    """Put back what stood in the box: gradio would take what is typed, and draw that."""
    box.fill(text)


def active(box):
    """The option that a screen reader announces."""
    return box.evaluate(
        "box => document.getElementById(box.getAttribute('aria-activedescendant'))?.textContent"
    )


def test_the_first_ones_are_on_offer(visit):
    visit.open()
    package(visit).click()
    note(visit, f"The first 30 of {len(CROWD) + 3:,} packages")
    assert options(visit).count() == 30
    shown = options(visit).all_inner_texts()
    assert shown == sorted(shown)


def test_escape_closes_the_list_and_keeps_what_is_typed(visit):
    visit.open(VIEW)
    box = package(visit)
    box.fill("html")
    options(visit).first.wait_for()
    visit.page.keyboard.press("Escape")
    assert options(visit).count() == 0
    assert box.get_attribute("aria-expanded") == "false"
    assert box.input_value() == "html"
    visit.page.keyboard.press("ArrowDown")
    options(visit).first.wait_for()
    assert options(visit).first.inner_text() == "html-admin"
    leave(box, "fastapi")


def test_an_arrow_before_the_list_has_come_asks_for_every_package_again(visit):
    visit.open(VIEW)
    held = visit.hold(re.compile(r"find\?"))
    package(visit).focus()
    wait_for(visit, held, 1)  # one that is aborted at once may never leave the browser
    visit.page.keyboard.press("ArrowDown")
    wait_for(visit, held, 2)
    assert len(held) == 2  # the first one is aborted
    held[-1].continue_()
    options(visit).nth(1).wait_for()


def test_letters_typed_quickly_are_one_question(visit, asked):
    visit.open(VIEW)
    package(visit).click()
    # A busy browser takes longer from key to key than the page waits for the next one.
    restore = visit.page.evaluate_handle(LATE_TIMERS, 3_000)
    visit.page.keyboard.type("requests-oauth", delay=20)
    note(visit, "1 package.")
    restore.evaluate("restore => restore()")
    visit.page.wait_for_timeout(QUIET)
    assert [url.partition("text=")[2] for url in asked] == ["", "requests-oauth"]
    leave(package(visit), "fastapi")


def test_a_late_answer_is_left(visit):
    """The first request is answered after the second one."""
    visit.open(VIEW)
    held = visit.hold(re.compile(r"find\?text=html$"))
    box = package(visit)
    box.fill("html")
    wait_for(visit, held, 1)
    box.fill("json-kit")
    note(visit, "4 packages.")
    assert len(held) == 1
    held[0].continue_()
    visit.page.wait_for_timeout(QUIET)
    assert options(visit).first.inner_text() == "json-kit"
    leave(box, "fastapi")


def test_typing_finds_and_the_arrows_choose(visit):
    visit.open(VIEW)
    box = package(visit)
    box.click()
    restore = visit.page.evaluate_handle(LATE_TIMERS, 1_000)  # one answer, which comes once
    visit.page.keyboard.type("ml-kit", delay=30)
    note(visit, "4 packages.")
    restore.evaluate("restore => restore()")
    assert options(visit).all_inner_texts()[:2] == ["html-kit", "html-kit-tools"]
    assert active(box) is None
    for key, name in (
        ("ArrowDown", "html-kit"),
        ("ArrowDown", "html-kit-tools"),
        ("ArrowUp", "html-kit"),
        ("ArrowUp", "html-kit2"),
        ("ArrowUp", "html-kit-types"),
    ):
        visit.page.keyboard.press(key)
        assert active(box) == name
    assert box.input_value() == "ml-kit"
    visit.page.keyboard.press("Enter")
    visit.wait_for_title("Forecast for html-kit-types")
    visit.page.wait_for_url("**/?package=html-kit-types")
    assert box.input_value() == "html-kit-types"
    assert options(visit).count() == 0


def test_near_names_can_be_gone_to(visit):
    visit.open(VIEW)
    package(visit).fill("scikitlern")
    note(visit, "similar names are listed. Press Enter to use the name as typed")
    visit.page.keyboard.press("ArrowDown")
    visit.page.keyboard.press("Enter")
    visit.wait_for_title("Forecast for scikit-learn")


def test_a_click_chooses(visit):
    visit.open(VIEW)
    package(visit).fill("scikit")
    options(visit).filter(has_text="scikit-learn").click()
    visit.wait_for_title("Forecast for scikit-learn")
    visit.page.wait_for_url("**/?package=scikit-learn")


def test_without_an_answer_any_name_can_be_typed(visit):
    visit.open(VIEW)
    visit.page.route(re.compile(r"find\?"), lambda route: route.abort())
    package(visit).fill("requests")
    visit.page.wait_for_timeout(QUIET)
    visit.page.keyboard.press("Enter")
    visit.wait_for_title("Forecast for requests")
    visit.errors.clear()  # Chromium itself reports the aborted ones


def test_typing_replaces_the_name_after_every_click(visit):
    visit.open("?package=requests")
    for _ in range(2):
        package(visit).click()
        visit.page.wait_for_function("getSelection().toString() === 'requests'")
        visit.page.keyboard.press("Tab")
    package(visit).click()
    visit.page.keyboard.type("json-kit")
    note(visit, "4 packages.")
    leave(package(visit), "requests")


def test_what_is_typed_at_once_after_a_click_replaces_the_name_and_stays(visit):
    visit.open("?package=requests")
    box = package(visit)
    box.click()
    visit.page.wait_for_function("getSelection().toString() === 'requests'")
    visit.page.keyboard.press("Tab")
    restore = visit.page.evaluate_handle(LATE_TIMERS, 500)
    box.click()
    visit.page.keyboard.type("torc")
    restore.evaluate("restore => restore()")
    visit.page.wait_for_timeout(700)
    assert box.input_value() == "torc"
    assert box.evaluate("box => box.selectionStart") == len("torc")
    leave(box, "requests")


@pytest.mark.parametrize(
    "visit",
    [
        {"viewport": size, "scheme": scheme}
        for size in (DESKTOP, PHONE)
        for scheme in ("light", "dark")
    ],
    indirect=True,
    ids=str,
)
@pytest.mark.parametrize("choose", [package, compare])
def test_accessibility_and_place(visit, axe, choose):
    visit.open("?package=requests")
    box = choose(visit)
    before = box.input_value()
    box.click()
    visit.page.keyboard.type("json")
    note(visit, "of 64 packages")
    visit.page.keyboard.press("ArrowDown")
    assert box.get_attribute("aria-expanded") == "true"
    assert box.get_attribute("aria-controls") == options(visit).locator("..").first.get_attribute(
        "id"
    )
    results = axe.run(visit.page)
    assert results.violations_count == 0, results.generate_report()
    [left, right, top, bottom, width, height] = visit.page.locator("#found").evaluate(
        "each => { const at = each.getBoundingClientRect();"
        " return [at.left, at.right, at.top, at.bottom, innerWidth, innerHeight]; }"
    )
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert bottom - top > 100
    leave(box, before)


@pytest.mark.parametrize("pause", [0, QUIET])
def test_enter_takes_what_is_typed_however_quickly(visit, pause):
    """A part of other names: gradio's own list would take the first of these."""
    visit.open("?package=requests")
    package(visit).click()
    visit.page.keyboard.type("torc")
    visit.page.wait_for_timeout(pause)
    visit.page.keyboard.type("h")
    visit.page.wait_for_timeout(pause)
    visit.page.keyboard.press("Enter")
    visit.wait_for_title("Forecast for torch")
    visit.wait_for_answer("?package=torch")
    assert "Model trained today" in visit.text("#facts")
    assert package(visit).input_value() == "torch"


def test_compare_with_others(visit):
    visit.open("?package=requests&compare=cloud-api")
    box = compare(visit)
    box.click()
    visit.page.keyboard.type("cloud-api")
    note(visit, "4 packages.")
    assert options(visit).all_inner_texts() == ["cloud-api-tools", "cloud-api-types", "cloud-api2"]
    options(visit).last.click()
    visit.wait_for_title("Forecast for requests, cloud-api and cloud-api2")
    visit.page.wait_for_url("**/?package=requests&compare=cloud-api,cloud-api2")
    box.fill("torch")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_url("**/?package=requests&compare=cloud-api,cloud-api2,torch")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_timeout(QUIET)
    assert visit.page.locator("#compare .token").count() == 3


def test_links_and_the_way_back(new_visit):
    new_visit.load("?package=query-lite-types")
    assert package(new_visit).input_value() == "query-lite-types"
    new_visit.load("?package=html-kit&compare=sql-next")
    new_visit.page.go_back()
    new_visit.wait_for_title("Forecast for query-lite-types")
    assert package(new_visit).input_value() == "query-lite-types"
    new_visit.page.go_forward()
    new_visit.wait_for_title("Forecast for html-kit and sql-next")
    new_visit.errors.clear()  # gradio reports the requests that it aborted
