"""The app with verification of attestations: as a process, and the text of its page."""

from __future__ import annotations

import datetime as dt
import html
import re
import sys
from pathlib import Path

import pytest

from app.launch import Settings, assemble
from app.view import content
from app.view.state import View, choose
from forecast.config import Config
from forecast.github import provenance
from tests.appserver import NOW, AppServer, call
from tests.bundles import files_of, make_bundle, replace_folder, zip_of
from tests.standins.sigstore import Build
from tests.waiting import until

CONFIG = """
packages = ["flask"]
username = "owner"
repo_name = "repo"
forecast_days = 30
m_values = [7]
verify_attestation = {verify}
"""
WEEK = dt.timedelta(days=7)
LAST_DAY = NOW.date() - dt.timedelta(days=15)


@pytest.fixture
def publish(github_server, sigstore):
    """Publishes the bundle of a week, by default attested."""

    def attestation(stored):
        return sigstore.attest(
            stored.listed["digest"], Build(stored.run["head_sha"], stored.run_id)
        )

    def publish(week, attest=attestation):
        made = NOW - WEEK * (2 - week)
        bundle = make_bundle(("flask",), last_day=LAST_DAY + WEEK * week, created_at=made)
        return github_server.add_artifact(zip_of(bundle), created_at=made, attest=attest)

    return publish


def config_file(tmp_path, verify):
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.format(verify=verify), encoding="utf-8")
    return str(path)


def test_a_process_keeps_its_models_until_the_next_are_attested(
    github_server, pypistats_server, publish, root, tmp_path
):
    first = publish(0)
    home = tmp_path / "home"
    settings = {
        "FORECAST_CONFIG": config_file(tmp_path, "true"),
        "GITHUB_API_URL": github_server.url,
        "GITHUB_TOKEN": github_server.token,
        "PYPISTATS_URL": pypistats_server.url,
        "HOME": str(home),
    }
    command = (sys.executable, "-m", "tests.attested_app", str(root))
    with AppServer(settings, command) as app:
        assert trained_through(app) == LAST_DAY
        second = publish(1, attest=None)
        until(lambda: "should have an attestation" in app.log)
        assert trained_through(app) == LAST_DAY
        assert f"/{second.id}.zip" not in github_server.blob.paths(), "it was taken unverified"

        third = publish(2)
        until(lambda: trained_through(app) == LAST_DAY + 2 * WEEK)
        taken = [path for path in github_server.blob.paths() if path.endswith(".zip")]
        assert set(taken) == {f"/{first.id}.zip", f"/{third.id}.zip"}
        assert github_server.token not in app.log
        assert "Traceback" not in app.log
    assert not list(home.rglob("*sigstore*"))


def trained_through(app):
    _, [[flask]] = call(app, "packages")
    return dt.date.fromisoformat(flask["trained_through"])


# The page


@pytest.fixture
def show(github_server, pypistats_server, root, monkeypatch):
    monkeypatch.setattr(provenance, "sigstore_root", lambda: root)

    def show(*, verify, models_dir=None):
        config = Config(
            packages=("flask",),  # type: ignore[arg-type] # pydantic reads them
            username="owner",
            repo_name="repo",
            forecast_days=30,
            m_values=(7,),
            verify_attestation=verify,
        )
        url, token = github_server.url, github_server.token
        settings = Settings(Path(), url, pypistats_server.url, models_dir, token)
        forecasts = assemble(settings, config, lambda: NOW)
        forecasts.store.refresh()
        return content.show(forecasts, View(choose("flask", ())), NOW, wait=20.0)

    return show


def text_of(part):
    return html.unescape(re.sub(r"<[^>]+>", "", part))


def test_the_page_says_what_was_checked(show, publish):
    stored = publish(2)
    shown = show(verify=True)
    told = text_of(shown.details)
    assert "built by .github/workflows/upload_artifact.yml of owner/repo at commit " in told
    assert f"{stored.run['head_sha'][:7]}, in run {stored.run_id}." in told
    link = f'<a href="https://github.com/owner/repo/actions/runs/{stored.run_id}">See the run.</a>'
    assert link in shown.details


def test_the_page_says_that_nothing_was_checked(show, publish):
    publish(2)
    shown = show(verify=False)
    assert "Not verified, because config.toml does not ask for it" in text_of(shown.details)


def test_a_folder_s_models_are_not_verified_and_said_to_be_so(show, tmp_path):
    folder = tmp_path / "models"
    replace_folder(folder, files_of(make_bundle(("flask",), created_at=NOW)))
    shown = show(verify=True, models_dir=folder)
    assert "Not verified, because the models were read from a folder." in text_of(shown.details)


def test_without_an_attestation_there_are_no_models_and_the_page_says_why(show, publish):
    stored = publish(2, attest=None)
    shown = show(verify=True)
    assert shown.figure is None
    assert f"Artifact {stored.id} of owner/repo should have an attestation" in shown.headline
