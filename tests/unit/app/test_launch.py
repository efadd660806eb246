import socket
from pathlib import Path

import pytest

from app.launch import ROOT, Settings, check_address, hosts_of
from forecast.errors import ConfigError
from forecast.github.api import API as GITHUB
from forecast.sources.pypistats import API as PYPISTATS


def test_defaults():
    settings = Settings.from_environment({})
    assert settings.config == ROOT / "config.toml"
    assert (settings.github_url, settings.pypistats_url) == (GITHUB, PYPISTATS)
    assert settings.models_dir is None
    assert settings.token is None
    assert (settings.host, settings.port) == ("127.0.0.1", 7860)


def test_everything_set():
    settings = Settings.from_environment(
        {
            "GITHUB_TOKEN": "secret",
            "GITHUB_API_URL": "http://127.0.0.1:1",
            "PYPISTATS_URL": "http://127.0.0.1:2",
            "FORECAST_CONFIG": "/etc/forecast.toml",
            "MODELS_DIR": "/srv/models",
            "GRADIO_SERVER_NAME": "0.0.0.0",
            "GRADIO_SERVER_PORT": "7000",
            "GRADIO_ROOT_PATH": " /forecasts ",
        }
    )
    assert settings == Settings(
        Path("/etc/forecast.toml"),
        "http://127.0.0.1:1",
        "http://127.0.0.1:2",
        Path("/srv/models"),
        "secret",
        "0.0.0.0",
        7000,
        "/forecasts",
    )


def test_an_empty_variable_is_none():
    names = ("GITHUB_TOKEN", "GITHUB_API_URL", "PYPISTATS_URL", "FORECAST_CONFIG", "MODELS_DIR")
    assert Settings.from_environment(dict.fromkeys(names, " ")) == Settings.from_environment({})


def test_the_token_is_in_no_repr():
    assert "secret" not in repr(Settings.from_environment({"GITHUB_TOKEN": "secret"}))


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "7860.0", "٣", "9" * 30])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(ConfigError, match="GRADIO_SERVER_PORT is .*: expected a number from 1 to"):
        Settings.from_environment({"GRADIO_SERVER_PORT": port})


@pytest.mark.parametrize(
    "root_path",
    [
        *("x", "javascript:x", "//evil.example", "/\\evil.example", "/a?b", "/a#b", "/a\nb", "?"),
        *("http://", "http:///a", "http://example.org:port/", "https://[a/", "ftp://example.org"),
        *("https://user:secret@example.org/", "https://example.org/?a"),
    ],
)
def test_a_root_path_that_no_link_can_begin_with_is_refused(root_path):
    with pytest.raises(ConfigError, match="^GRADIO_ROOT_PATH is .*: expected a path") as raised:
        Settings.from_environment({"GRADIO_ROOT_PATH": root_path})
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "root_path",
    ["/", "/a", "/a/b c/", "/\N{LATIN SMALL LETTER A WITH DIAERESIS}", "https://a.org:81/b"],
)
def test_a_path_or_a_whole_address_is_a_root_path(root_path):
    assert Settings.from_environment({"GRADIO_ROOT_PATH": root_path}).root_path == root_path


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_an_address_that_is_free(host):
    check_address(host, 0)


def test_a_port_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"port {port} of localhost is taken: end the"):
            check_address("localhost", port)


def test_an_address_of_no_machine_is_told(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    with pytest.raises(
        ConfigError, match=r"'nowhere', port 7860: the page cannot listen there \(Name or service"
    ):
        check_address("nowhere", 7860)


@pytest.mark.parametrize(
    ("host", "root_path", "hosts"),
    [
        ("127.0.0.1", "", {"127.0.0.1", "localhost", "::1"}),
        ("[::1]", "/forecasts", {"127.0.0.1", "localhost", "::1"}),
        (
            "localhost",
            "https://example.org/forecasts",
            {"127.0.0.1", "localhost", "::1", "example.org"},
        ),
        ("LOCALHOST", "", {"127.0.0.1", "localhost", "::1"}),
        ("127.0.0.2", "", {"127.0.0.2", "127.0.0.1", "localhost", "::1"}),
        ("0:0:0:0:0:0:0:1", "", {"0:0:0:0:0:0:0:1", "127.0.0.1", "localhost", "::1"}),
        ("::ffff:127.0.0.1", "", {"::ffff:127.0.0.1", "127.0.0.1", "localhost", "::1"}),
        ("0.0.0.0", "", None),
        ("::", "", None),
        ("example.org", "", None),
    ],
)
def test_the_hosts_that_a_page_may_be_asked_by(host, root_path, hosts):
    assert hosts_of(host, root_path) == hosts
