"""The first response and the cards, from the app as a process."""

import io

import pytest
import requests
from PIL import Image

from tests.browser.warm import WarmAppServer
from tests.bundles import files_of, make_bundle, replace_folder

HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    pictures = {"flask.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>"}
    replace_folder(folder, files_of(make_bundle(pictures=pictures, source="folder")))
    with WarmAppServer({"MODELS_DIR": str(folder), "SPACE_HOST": "owner-space.example"}) as running:
        yield running


def page(app, **query):
    response = requests.get(app.url, params=query, timeout=10)
    assert response.status_code == 200
    return response


def test_the_first_response_has_the_answer(app):
    response = page(app, package="flask")
    for text in (
        "<title>flask: about ",
        '<link rel="canonical" href="https://owner-space.example/?package=flask">',
        'property="og:image" content="https://owner-space.example/picture/flask.png"',
        "<h2>Forecast for flask</h2>",
        "data:image/svg+xml,",
        "<noscript>",
        '<html\n\tlang="en"',
    ):
        assert text in response.text
    assert response.text.count("og:title") == 1
    assert response.headers["Content-Encoding"] == "gzip"
    assert "Link" not in response.headers


def test_a_package_that_needs_a_training_is_not_trained_for_it(app):
    assert "a model is trained now" in page(app, package="nonesuch").text
    assert requests.get(f"{app.url}picture/nonesuch.png", timeout=10).status_code == 404


@pytest.mark.parametrize("name", ["package", "compare", "scale", "range", "__theme", HOSTILE])
def test_nothing_of_the_address_is_taken_as_html(app, name):
    query = {"package": "flask", name: HOSTILE}
    assert "<script>alert" not in page(app, **query).text


@pytest.mark.parametrize("name", ["flask", "Flask", "FLASK"])
def test_a_card(app, name):
    response = requests.get(f"{app.url}picture/{name}.png", timeout=10)
    assert response.headers["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(response.content)).size == (1200, 630)


def test_head_and_a_forged_host(app):
    assert requests.head(app.url, timeout=10).status_code == 200
    forged = requests.get(app.url, headers={"Host": "evil.example"}, timeout=10)
    assert "evil.example" not in forged.text.partition("</main>")[0].partition("gradio_config")[0]


def test_an_asset_is_kept_for_a_year(app):
    script = page(app).text.partition('src="./assets/')[2].partition('"')[0]
    response = requests.get(f"{app.url}assets/{script}", timeout=30)
    assert response.status_code == 200
    assert "immutable" in response.headers["Cache-Control"]


def test_a_group_that_there_is_not_is_not_waited_for(app):
    text = page(app, package="@nosuch").text
    assert "There is no group @nosuch" in text
    assert "trained now" not in text
    assert "og:image" not in text
