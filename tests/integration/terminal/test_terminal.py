"""``python -m forecast``, from a folder, from GitHub, and trained at once."""

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from forecast.terminal.cli import run
from tests import schema
from tests.bundles import (
    CREATED_AT,
    LAST_DAY,
    counts,
    files_of,
    make_bundle,
    replace_folder,
    zip_of,
)
from tests.unit.forecast.record.records import bundle_with, total_row

ROOT = Path(__file__).parents[3]
NOW = {"SOURCE_DATE_EPOCH": str(int(CREATED_AT.timestamp()))}
CONFIG = """\
packages = ["Flask", "requests"]
username = "owner"
repo_name = "repo"
forecast_days = 30
m_values = [7]

[[groups]]
name = "pallets"
title = "Pallets"
packages = ["flask", "click"]
"""
WEEKS = ["2026-11-22 to 11-28", "2026-11-29 to 12-05", "2026-12-06 to 12-12", "2026-12-13 to 12-19"]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A working folder without models; the config in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


@pytest.fixture
def models(elsewhere):
    replace_folder(elsewhere / "models", files_of(make_bundle()))
    return elsewhere / "models"


def asked(capsys, *words, **environment):
    status = run([*words, "--config=config.toml"], {**NOW, **environment})
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def of_days(made):
    """Counts by day, as PyPI Stats' stand-in has them."""
    return dict(zip(pd.DatetimeIndex(made.index).date, made.to_list(), strict=True))


@pytest.mark.usefixtures("models")
def test_the_folder_models_is_read_and_each_week_has_a_row(capsys):
    status, text, errors = asked(capsys, "FLASK")

    assert (status, errors) == (0, "")
    blocks = text.split("\n\n")
    assert blocks[0].startswith("Flask: about ")
    head, *rows = blocks[1].splitlines()
    assert head.split() == ["week", "expected", "80", "%", "band", "95", "%", "band"]
    assert [row[:19] for row in rows] == WEEKS
    assert len({len(row) for row in rows}) == 1
    assert blocks[2].startswith("Forecasts like this one have missed the total by ")
    assert blocks[3] == (
        "From the models in models, made on 2026-11-22. Counted through 21 November 2026.\n"
    )


@pytest.mark.usefixtures("models")
def test_models_whose_forecasts_are_over_are_no_model(capsys, caplog, pypistats_server):
    last_day_of_it = str(int(CREATED_AT.timestamp()) + 29 * 86_400)
    status, text, _ = asked(capsys, "Flask", SOURCE_DATE_EPOCH=last_day_of_it)
    assert status == 0
    assert text.startswith("Flask: about ")
    assert "The models are 29 days old" in text

    later = {"SOURCE_DATE_EPOCH": str(int(CREATED_AT.timestamp()) + 40 * 86_400)}
    made = counts(last_day=LAST_DAY + dt.timedelta(days=40))
    pypistats_server.series["flask"] = of_days(made)
    status, text, _ = asked(capsys, "Flask", PYPISTATS_URL=pypistats_server.url, **later)
    assert status == 0
    assert text.startswith("Flask: about ")
    assert "From a model trained just now" in text
    over = "not used, because their forecasts are over: the models in models, made on 2026-11-22"
    assert over in caplog.messages


def test_an_unusual_week_is_said(elsewhere, capsys):
    bundle = bundle_with(totals=[total_row(downloads=2000.0)])
    replace_folder(elsewhere / "models", files_of(bundle))
    status, text, _ = asked(capsys, "flask")

    assert status == 0
    said = "Flask: 2,000 downloads in the week to 21 November 2026, far above what was expected"
    assert text.split("\n\n")[1] == f"{said} (500 to 900)."


@pytest.mark.parametrize("form", ["", "--markdown", "--json"])
def test_what_the_page_warns_of_is_said_here_too(elsewhere, capsys, form):
    replace_folder(elsewhere / "models", files_of(make_bundle(source="sample")))
    status, text, errors = asked(capsys, "flask", *filter(None, [form]))

    warning = "These counts are made up, and only look like downloads."
    assert status == 0
    if form == "--json":
        assert json.loads(text)
        assert errors.splitlines() == [warning]
    else:
        assert warning in text.split("\n\n")[1]
        assert errors == ""


@pytest.mark.usefixtures("elsewhere")
def test_who_waits_is_told_soon_that_pypi_stats_does_not_answer(capsys, pypistats_server):
    pypistats_server.fail("flask", 503, times=9)
    status, text, errors = asked(capsys, "flask", PYPISTATS_URL=pypistats_server.url)

    assert (status, text) == (1, "")
    assert "(Asked 2 times.)" in errors


@pytest.mark.usefixtures("models")
def test_markdown_is_a_table(capsys):
    status, text, _ = asked(capsys, "flask", "--markdown")

    assert status == 0
    lines = text.splitlines()
    assert lines[0].startswith("**Flask: about ")
    assert lines[2:4] == [
        "| week | expected | 80 % band | 95 % band |",
        "| --- | ---: | ---: | ---: |",
    ]
    assert all(line.count("|") == 5 for line in lines[2:8])


@pytest.mark.usefixtures("models")
def test_json_is_that_of_the_page(capsys):
    status, text, _ = asked(capsys, "flask", "--json")

    (made,) = json.loads(text)
    assert status == 0
    assert made["package"] == "flask"
    assert len(made["forecast"]) == 30
    assert made["history"][-1]["date"] == LAST_DAY.isoformat()
    # What the site's file has besides is of the site.
    schema.check("file", made | {"known_through": None, "warnings": []})


@pytest.mark.usefixtures("elsewhere")
def test_the_published_models_are_read(capsys, github_server):
    github_server.add_artifact(zip_of(make_bundle()), created_at=CREATED_AT)
    where = {"GITHUB_API_URL": github_server.url, "GITHUB_TOKEN": github_server.token}
    status, text, errors = asked(capsys, "requests", **where)

    assert (status, errors) == (0, "")
    assert "From the models that https://github.com/owner/repo published on 2026-11-22." in text


@pytest.mark.usefixtures("elsewhere")
def test_another_package_is_trained_at_once(capsys, pypistats_server):
    pypistats_server.series["rich"] = of_days(counts())
    status, text, errors = asked(capsys, "rich", PYPISTATS_URL=pypistats_server.url)

    assert (status, errors) == (0, "")
    assert "From a model trained just now on counts from PyPI Stats." in text
    assert text.startswith("rich: about ")

    later = str(int(CREATED_AT.timestamp()) + 40 * 86_400)
    url = pypistats_server.url
    _, text, _ = asked(capsys, "rich", PYPISTATS_URL=url, SOURCE_DATE_EPOCH=later)
    assert text.startswith("rich: no counts since 21 November 2026, and about ")


@pytest.mark.usefixtures("elsewhere")
def test_where_github_has_no_models_that_is_said_and_one_is_trained(
    capsys, caplog, pypistats_server, github_server
):
    pypistats_server.series["flask"] = of_days(counts())
    status, text, _ = asked(
        capsys,
        "flask",
        PYPISTATS_URL=pypistats_server.url,
        GITHUB_API_URL=github_server.url,
        GITHUB_TOKEN=github_server.token,
    )

    assert status == 0
    assert "no published models, so one is trained now: " in caplog.text
    assert "trained just now" in text


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["fla/sk"], 2, "package 'fla/sk': expected a name that PyPI allows"),
        (["flask", "--days=7"], 2, "unrecognized arguments: --days=7; see python -m forecast"),
        (["flask", "--json", "--markdown"], 2, "not allowed with argument --json"),
        ([], 2, "the following arguments are required: PACKAGE"),
        (["no-such-package"], 1, "no-such-package"),
        (["@nobody"], 2, "is no group of the config; it has @pallets"),
        (["@pallets"], 1, "There is no new model of the group @pallets"),
    ],
)
@pytest.mark.usefixtures("elsewhere")
def test_no_forecast_is_one_line_and_a_status(capsys, pypistats_server, words, status, message):
    found, text, errors = asked(capsys, *words, PYPISTATS_URL=pypistats_server.url)

    assert (found, text) == (status, "")
    assert message in errors
    assert errors.count("\n") == 1


GROUP_MEANT = "Pallets is taken as the package on PyPI; for the group of that name ask for @pallets"


@pytest.mark.parametrize("on_pypi", [True, False])
def test_the_name_of_a_group_alone_gets_a_hint_at_the_group(
    elsewhere, capsys, caplog, pypistats_server, on_pypi
):
    if on_pypi:
        pypistats_server.series["pallets"] = of_days(counts())
    status, text, _ = asked(capsys, "Pallets", "--json", PYPISTATS_URL=pypistats_server.url)
    assert caplog.messages == [GROUP_MEANT]
    assert (status, bool(text)) == ((0, True) if on_pypi else (1, False))

    packages = 'packages = ["Flask", "requests"'
    both = CONFIG.replace(packages, f'{packages}, "pallets"')
    (elsewhere / "config.toml").write_text(both, encoding="utf-8")
    asked(capsys, "Pallets", "--json", PYPISTATS_URL=pypistats_server.url)
    assert caplog.messages == [GROUP_MEANT]  # none for a package of the config


def test_a_group_of_the_models_alone_is_hinted_at_too(elsewhere, capsys, caplog, pypistats_server):
    groups = {"@others": {"label": "@others", "title": "The others"}}
    replace_folder(elsewhere / "models", files_of(make_bundle(["flask", "@others"], groups=groups)))
    asked(capsys, "others", PYPISTATS_URL=pypistats_server.url)
    [hint] = caplog.messages
    assert hint.endswith("ask for @others")


def test_models_that_are_not_valid_are_no_forecast(models, capsys):
    (models / "forecasts.csv").write_bytes(b"package,date\n")
    status, text, errors = asked(capsys, "flask", MODELS_DIR=str(models))

    assert (status, text) == (1, "")
    assert "forecasts.csv" in errors


def test_the_module_runs_as_a_process(models):
    done = subprocess.run(
        [sys.executable, "-m", "forecast", "flask"],
        cwd=models.parent,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **NOW},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("flask: about ")
