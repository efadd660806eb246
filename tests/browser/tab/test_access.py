"""Keyboard and screen reader: what axe does not see."""

from __future__ import annotations

import re

import pytest


def painted(locator):
    """The pixels around an element."""
    box = locator.bounding_box()
    clip = {
        "x": box["x"] - 6,
        "y": box["y"] - 6,
        "width": box["width"] + 12,
        "height": box["height"] + 12,
    }
    return locator.page.screenshot(clip=clip, animations="disabled")


def focused_id(page):
    return page.evaluate("document.activeElement.closest('[id]')?.id")


@pytest.mark.parametrize("visit", [{"scheme": "light"}, {"scheme": "dark"}], indirect=True, ids=str)
def test_focus_on_a_radio_button_is_painted(visit):
    visit.open("?package=flask")
    button = visit.page.get_by_role("radio", name="90", exact=True)
    label = visit.page.locator("#range label").filter(has=button)
    label.scroll_into_view_if_needed()
    before = painted(label)
    visit.page.get_by_role("combobox", name=re.compile("^Package")).focus()
    for _ in range(6):
        visit.page.keyboard.press("Tab")
        if focused_id(visit.page) == "range":
            break
    assert focused_id(visit.page) == "range"
    visit.page.mouse.move(0, 0)
    assert painted(label) != before


def test_a_group_is_one_stop_and_arrows_choose_in_it(visit):
    visit.open("?package=flask")
    visit.page.get_by_role("radio", name="90", exact=True).focus()
    visit.page.keyboard.press("ArrowLeft")
    visit.wait_for_answer("?package=flask&range=60")
    assert visit.page.get_by_role("radio", name="60", exact=True).is_checked()
    visit.page.keyboard.press("ArrowRight")
    visit.wait_for_answer("?package=flask")
    visit.page.keyboard.press("Tab")
    assert focused_id(visit.page) != "range"


def test_groups_chart_and_link_have_names(visit):
    visit.open("?package=flask")
    for name in ("Days of history", "Scale", "Show"):
        assert visit.page.get_by_role("radiogroup", name=name).count() == 1
    chart = visit.page.get_by_role("img", name=re.compile("^Chart. Forecast for flask. flask: "))
    assert chart.count() == 1
    assert visit.page.get_by_role("textbox", name="Link to this view").count() == 1
    assert visit.page.locator("gradio-app svg:not([aria-hidden], #chart *)").count() == 0


def test_a_fold_says_whether_it_is_open(visit):
    visit.open("?package=flask")
    fold = visit.page.get_by_role("button", name="How it was made", exact=True)
    assert fold.get_attribute("aria-expanded") == "false"
    fold.press("Enter")
    visit.page.get_by_role("button", name="How it was made", exact=True, expanded=True).wait_for()


def test_a_new_forecast_is_announced_once_and_the_title_follows(new_visit):
    new_visit.open("?package=flask")
    announced = new_visit.page.locator("#announced")
    assert announced.text_content() == ""
    assert re.match("flask: about .* downloads in the next 30 days", new_visit.page.title())
    box = new_visit.page.get_by_label(re.compile("^Package"))
    box.fill("requests")
    box.press("Enter")
    new_visit.wait_for_answer("?package=requests")
    assert "Forecast for requests" in announced.text_content()
    assert announced.get_attribute("role") == "status"
    assert re.match("requests: about ", new_visit.page.title())
    assert new_visit.page.locator(".sr-only[role=status]").count() == 1
    assert not new_visit.page.locator(".sr-only[role=status]").is_visible()  # gradio's own words


def test_targets_are_large_enough(visit):
    visit.open("?package=flask&compare=requests")
    targets = "button, a, summary, label, [role=button]"
    small = visit.page.evaluate(
        f"[...document.querySelectorAll('main :is({targets})')]"
        ".map(each => [each.textContent, each.getBoundingClientRect()])"
        ".filter(([, box]) => box.width && (box.width < 24 || box.height < 24))"
        ".map(([text]) => text)"
    )
    assert small == []


def widths(visit):
    """Of the page's content in windows of several widths."""
    found = []
    for width in (390, 768, 1440):
        visit.resize({"width": width, "height": 900})
        found.append(
            visit.page.evaluate("document.querySelector('main').getBoundingClientRect().width")
        )
    return found


def test_the_width_is_steady(visit):
    visit.open("?package=flask")
    before = widths(visit)
    box = visit.page.get_by_label(re.compile("^Package"))
    for name in ("flaskk", "hello world", "requests"):
        box.fill(name)
        box.press("Enter")
        visit.page.wait_for_function(
            "text => document.querySelector('#headline').textContent.includes(text)", arg=name
        )
        assert widths(visit) == before
