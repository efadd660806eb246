from pathlib import Path

from app.launch import ROOT, Settings
from forecast.github.api import API as GITHUB
from forecast.sources.pypistats import API as PYPISTATS


def test_defaults():
    settings = Settings.from_environment({})
    assert settings.config == ROOT / "config.toml"
    assert (settings.github_url, settings.pypistats_url) == (GITHUB, PYPISTATS)
    assert settings.models_dir is None
    assert settings.token is None


def test_everything_set():
    settings = Settings.from_environment(
        {
            "GITHUB_TOKEN": "secret",
            "GITHUB_API_URL": "http://127.0.0.1:1",
            "PYPISTATS_URL": "http://127.0.0.1:2",
            "FORECAST_CONFIG": "/etc/forecast.toml",
            "MODELS_DIR": "/srv/models",
        }
    )
    assert settings == Settings(
        Path("/etc/forecast.toml"),
        "http://127.0.0.1:1",
        "http://127.0.0.1:2",
        Path("/srv/models"),
        "secret",
    )


def test_an_empty_variable_is_none():
    names = ("GITHUB_TOKEN", "GITHUB_API_URL", "PYPISTATS_URL", "FORECAST_CONFIG", "MODELS_DIR")
    assert Settings.from_environment(dict.fromkeys(names, " ")) == Settings.from_environment({})


def test_the_token_is_in_no_repr():
    assert "secret" not in repr(Settings.from_environment({"GITHUB_TOKEN": "secret"}))
