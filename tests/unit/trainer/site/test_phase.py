"""``--site`` on the command line: what is refused at once, and what a failure leaves."""

import datetime as dt

import pytest

from forecast.document import addresses
from tests.weekly import CONFIG, without_search
from trainer import cli, phases
from trainer.engines import local
from trainer.site.site import TOP

NOW = dt.datetime(2026, 11, 23, 3, 23, tzinfo=dt.UTC)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the trainer on sample data."""
    monkeypatch.setattr(local, "execute", without_search)
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(packages='"flask"'), encoding="utf-8")

    def start(*words, source="sample"):
        options = [f"--config={config}", f"--output={tmp_path / 'models'}", f"--source={source}"]
        variables = {
            "SOURCE_DATE_EPOCH": str(int(NOW.timestamp())),
            "PYPISTATS_URL": "http://127.0.0.1:9",
        }
        return cli.run([*options, "--jobs=1", *words], variables)

    return start


def test_the_site_is_written_beside_the_bundle(run, tmp_path):
    assert run(f"--site={tmp_path / 'site'}") == 0
    assert (tmp_path / "models" / "manifest.json").is_file()
    assert (tmp_path / "site" / "package" / "flask" / "index.html").is_file()
    old = tmp_path / "site" / "package" / "old.html"
    old.write_text("", encoding="utf-8")
    assert run(f"--site={tmp_path / 'site'}", source="auto") == 0  # the sample of today stays
    assert not old.exists()
    assert {path.name for path in (tmp_path / "site").iterdir()} <= set(TOP)


def test_a_folder_of_something_else_is_no_site(run, tmp_path, caplog):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "index.html").write_text("mine", encoding="utf-8")
    assert run(f"--site={tmp_path / 'home'}") == 2
    assert f"no {addresses.PACKAGES}, so it is no site to replace" in caplog.text
    assert not (tmp_path / "models").exists()


def test_what_was_put_into_a_site_is_not_lost(run, tmp_path, caplog):
    assert run(f"--site={tmp_path / 'site'}") == 0
    (tmp_path / "site" / ".git").mkdir()
    assert run(f"--site={tmp_path / 'site'}") == 2
    assert "holds .git, which would be lost when the site is replaced" in caplog.text


def test_a_site_needs_a_bundle(run, tmp_path, caplog):
    assert run(f"--site={tmp_path / 'site'}", "--phase=fetch") == 2
    assert "--site is written with the bundle" in caplog.text


@pytest.mark.parametrize(
    "words",
    [
        *(["--site=models"], ["--site=models/site"], ["--site=."]),
        *(["--work=models"], ["--work=models/run"], ["--work=."]),
        *(["--work=there", "--site=there"], ["--work=there", "--site=there/site"]),
        *(["--work=there/run", "--site=there"], ["--site=models.run"], ["--site=models.run/site"]),
        ["--work=nowhere/../models/run"],
    ],
)
def test_bundle_run_and_site_are_apart(run, tmp_path, monkeypatch, caplog, words):
    monkeypatch.chdir(tmp_path)
    assert run(*words) == 2
    assert "name two folders apart" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


def test_the_bundle_is_published_without_its_site(run, tmp_path, monkeypatch, caplog):
    assert run(f"--site={tmp_path / 'site'}") == 0
    before = (tmp_path / "site" / "index.html").read_bytes()

    def full(_bundle, _config, folder, _jobs):
        (folder / "index.html").write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(phases, "write_site", full)
    assert run(f"--site={tmp_path / 'site'}") == 0
    assert "the site was not written" in caplog.text
    assert "No space left on device: expected room on the disk" in caplog.text
    assert (tmp_path / "site" / "index.html").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml", "models", "site"]


def test_a_disk_without_room_for_the_bundle_says_what_to_do(run, tmp_path, monkeypatch, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(phases, "join", full)
    assert run() == 1
    assert "No space left on device: expected room on the disk" in caplog.text
    assert "make room, or name other folders" in caplog.text
