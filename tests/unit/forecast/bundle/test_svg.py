"""A picture of a bundle draws, and does nothing else, on a page that shows or inlines it."""

from __future__ import annotations

import pytest

from forecast.bundle.svg import LARGEST_PICTURE, check_picture
from forecast.document.pictures import draw
from forecast.errors import BundleError
from tests.bundles import make_bundle

SVG = '<svg xmlns="http://www.w3.org/2000/svg">{}</svg>'


def test_our_own_pictures_pass():
    model = make_bundle().model("flask")
    forecast, totals = model.predict_with_totals(30)
    for name, picture in draw("flask", "flask", model, forecast, totals).items():
        check_picture(name, picture.encode())


def test_a_local_gradient_passes():
    gradient = '<defs><linearGradient id="a"/></defs><rect fill="url(#a)"/>'
    check_picture("flask.svg", SVG.format(gradient).encode())


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<x:script xmlns:x="http://www.w3.org/2000/svg"/>',
        '<rect onclick="alert(1)"/>',
        '<rect ONLOAD="alert(1)"/>',
        '<a href="https://example.org">x</a>',
        '<image href="https://example.org"/>',
        '<use xlink:href="#x" xmlns:xlink="http://www.w3.org/1999/xlink"/>',
        '<g xlink:href="#x" xmlns:xlink="http://www.w3.org/1999/xlink"/>',
        "<foreignObject/>",
        '<set attributeName="href" to="x"/>',
        "<style>@import 'https://example.org'</style>",
        "<style>@imp<g/>ort 'https://example.org'</style>",
        "<style>rect { fill: url(https://example.org) }</style>",
        "<style>rect { fill: URL( https://example.org) }</style>",
        r"<style>rect { fill: \75rl(https://example.org) }</style>",
        "<style>rect { fill: &#117;rl(https://example.org) }</style>",
        "<style>rect { background: image-set('https://example.org' 1x) }</style>",
        "<style>rect { fill: src('https://example.org') }</style>",
        "<style>rect { background: image('https://example.org') }</style>",
        "<style>rect { background: cross-fade(url(#a), 'https://example.org') }</style>",
        "<style>rect { background: -moz-element('x') }</style>",
        '<rect style="fill: url(https://example.org)"/>',
        '<rect fill="JavaScript:alert(1)"/>',
        "<style>@imp<!-- -->ort 'https://example.org'</style>",
        "<title><g><![CDATA[ > <script>alert(1)</script>]]></g></title>",
        "<!-- x -->",
        "<?xml-stylesheet href='https://example.org'?>",
    ],
)
def test_a_picture_that_runs_links_or_loads_is_refused(inside):
    with pytest.raises(BundleError, match=r"^flask\.svg has .*, which no picture of ours has$"):
        check_picture("flask.svg", SVG.format(inside).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg>",
        b"<svg/><svg/>",
        b"\xff<svg/>",
        "<svg/>".encode("utf-16"),
        "<svg/>".encode("utf-16-le"),
        b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg>&a;</svg>",
        b"<?xml version='1.0' encoding='utf-7'?><svg/>",
    ],
)
def test_what_is_no_svg_or_declares_anything_is_refused(data):
    with pytest.raises(BundleError, match="is no SVG|declaration"):
        check_picture("flask.svg", data)


def test_a_picture_that_is_too_large_is_not_parsed():
    with pytest.raises(BundleError, match="'flask.svg' has 65,537 bytes; at most 65,536 are"):
        check_picture("flask.svg", b"<" * (LARGEST_PICTURE + 1))
