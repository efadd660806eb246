"""What a run finds before it fetches: today's sample, another repository's config."""

from __future__ import annotations

import datetime as dt

import pytest

from forecast.config import Config
from tests.bundles import files_of, make_bundle, replace_folder
from trainer import cli
from trainer.arguments import parse
from trainer.inputs import Environment, has_sample, other_repository

NOBODY = "http://127.0.0.1:9/api"  # the port of a service that nothing starts
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
CONFIG = """\
packages = ["flask", "requests"]
username = "owner"
repo_name = "repo"
forecast_days = 30
m_values = [3, 6, 7]
"""
READ = Config(
    packages=("flask", "requests"),  # type: ignore[arg-type] # pydantic reads them
    username="owner",
    repo_name="repo",
    forecast_days=30,
    m_values=(3, 6, 7),
)


def environment(now=NOW, **variables):
    return {"SOURCE_DATE_EPOCH": str(int(now.timestamp())), **variables}


@pytest.fixture
def sample(tmp_path):
    """A folder with a config and a sample of today."""
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    bundle = make_bundle(source="sample", created_at=NOW - dt.timedelta(hours=3))
    replace_folder(tmp_path / "models", files_of(bundle))
    return tmp_path


def test_offline_a_sample_of_today_stays(sample):
    before = (sample / "models" / "manifest.json").read_bytes()
    words = [f"--config={sample}/config.toml", "--source=auto", f"--output={sample}/models"]
    assert cli.run(words, environment(PYPISTATS_URL=NOBODY)) == 0
    assert (sample / "models" / "manifest.json").read_bytes() == before
    assert {path.name for path in sample.iterdir()} == {"config.toml", "models"}


@pytest.mark.parametrize(
    ("words", "now", "changes", "stays"),
    [
        ([], NOW, {}, True),
        (["flask"], NOW, {}, True),
        (["django"], NOW, {}, False),
        ([], NOW + dt.timedelta(days=1), {}, False),
        ([], NOW, {"forecast_days": 7}, False),
        ([], NOW, {"m_values": (7,)}, False),
        (["--output=nowhere"], NOW, {}, False),
    ],
)
def test_when_a_sample_is_todays(sample, words, now, changes, stays):
    arguments = parse([f"--output={sample}/models", *words], {})
    config = READ.model_copy(update=changes)
    assert has_sample(arguments, config, Environment.read(environment(now))) is stays


@pytest.mark.parametrize(
    ("repository", "told"),
    [("", False), ("owner/repo", False), ("Owner/Repo", False), ("a/b", True)],
)
def test_a_run_of_another_repository_than_the_config_s(repository, told):
    text = other_repository(READ, Environment.read(environment(GITHUB_REPOSITORY=repository)))
    assert bool(text) is told
    if told:
        assert "this run is of a/b, but config.toml names owner/repo" in text
        assert 'set username = "a" and repo_name = "b"' in text


def test_another_system_is_refused_in_one_line(sample, monkeypatch, caplog):
    monkeypatch.setattr(cli, "SYSTEMS", set())
    assert cli.run([f"--config={sample}/config.toml"], environment()) == 2
    (record,) = caplog.records
    assert "on Windows inside WSL" in record.getMessage()


@pytest.mark.parametrize("typed", ["flask\nDjango", "flask\r\nDjango\r\n", " flask\tDjango  flask"])
def test_what_is_typed_into_the_form_is_separated_by_white_space(typed):
    assert [package.name for package in parse(["--", typed], {}).packages] == ["flask", "django"]
    assert parse(["--", ""], {}).packages == ()
