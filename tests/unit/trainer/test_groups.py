"""Groups in a run: fetched part by part, added up, trained and published like a package."""

from __future__ import annotations

import datetime as dt
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from forecast.bundle.tables import PAST
from forecast.bundle.writer import Writer
from forecast.config import Config, parse_packages
from forecast.errors import ConfigError, DownloadsError, UnknownPackageError
from forecast.sources.source import OneByOne
from tests.bundles import CREATED_AT, counts, in_memory
from tests.weekly import without_search
from trainer import cli
from trainer.fetch import fetch
from trainer.join import join
from trainer.plan import Part, Plan
from trainer.previous import digest
from trainer.reports.summary import markdown, warnings_of
from trainer.store import Store
from trainer.train import train

NEXT = CREATED_AT + dt.timedelta(days=7)
GROUP = {"name": "pallets", "title": "The projects", "packages": ["flask", "click", "jinja2"]}
GROUP_TEXT = """\
packages = ["flask"]
username = "somebody"
repo_name = "some-repo"
forecast_days = 30
m_values = [7]
groups = [{ name = "pallets", title = "The projects", packages = ["flask", "click"] }]
"""


class Shelf(OneByOne):
    """A source with what a test puts into it; an exception is raised."""

    def __init__(self, kind="pypistats", **contents):
        self.kind = kind
        self.contents = contents
        self.asked = []

    def daily(self, name):
        self.asked.append(name)
        content = self.contents.get(name, UnknownPackageError(f"no {name} here"))
        if isinstance(content, Exception):
            raise content
        return content


def config_of(*packages, **changed):
    fields: dict[str, Any] = {
        "packages": packages or ("flask",),
        "username": "somebody",
        "repo_name": "some-repo",
        "forecast_days": 30,
        "m_values": [7],
        "groups": [GROUP | changed],
    }
    return Config.model_validate(fields)


def run(config, source, *, asked=(), previous=None, now=CREATED_AT):
    """The bundle of a whole run, without a search."""
    plan = Plan(
        created_at=now,
        versions={},
        source=source.kind,
        mirrors=True,
        forecast_days=config.forecast_days,
        m_values=config.m_values,
        packages=config.chosen(parse_packages(asked)),
        configured=config.everything,
        parts=config.parts,
        previous=digest(previous) if previous else "",
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as made,
        closing(Store.begin(Path(folder), plan)) as store,
    ):
        fetch(store, source, previous, lambda fetched, _most: fetched)
        train(store, Part(), without_search)
        join(store, previous, Writer(Path(made), plan.forecast_days))
        return in_memory(Path(made))


def shelf(last_day=None, **changed):
    options = {"last_day": last_day} if last_day else {}
    sizes = {"flask": 1000, "click": 2000, "jinja2": 300}
    return Shelf(**{name: counts(size=size, **options) for name, size in sizes.items()} | changed)


def entry_of(bundle):
    return bundle.manifest.packages["@pallets"]


def remarks(bundle):
    return {part.name: part.remark for part in entry_of(bundle).parts}


def test_a_group_is_the_sum_of_its_parts_with_a_model_of_its_own():
    source = shelf()
    bundle = run(config_of(), source)
    assert source.asked == ["flask", "click", "jinja2"]
    assert bundle.names == ["flask", "@pallets"]
    expected = sum(source.contents[name] for name in source.asked)
    assert bundle.history("@pallets").tolist() == expected.tolist()
    assert remarks(bundle) == {"flask": "", "click": "", "jinja2": ""}
    assert entry_of(bundle).label == "@pallets"
    assert entry_of(bundle).title == "The projects"
    assert bundle.model("@pallets").history == tuple(map(float, expected))
    assert len(bundle.forecast("@pallets")) == 30
    assert b"The projects" in bundle.picture("@pallets.svg")
    assert bundle.picture("@pallets.badge.svg")
    # The parts keep their histories, from which later runs add up.
    assert bundle.observed == ["flask", "@pallets", "click", "jinja2"]


def test_a_group_can_be_asked_for_alone():
    source = shelf()
    bundle = run(config_of("numpy", "flask"), source, asked=["@Pallets"])
    assert source.asked == ["flask", "click", "jinja2"]
    assert bundle.names == ["@pallets"]


def test_a_part_that_the_source_does_not_know_is_left_out_and_said():
    bundle = run(config_of(), shelf(jinja2=UnknownPackageError("no jinja2 here")))
    source = shelf()
    expected = source.contents["flask"] + source.contents["click"]
    assert bundle.history("@pallets").tolist() == expected.tolist()
    left_out = "is not in the sum: no jinja2 here"
    assert remarks(bundle) == {"flask": "", "click": "", "jinja2": left_out}
    assert "::warning::The projects: jinja2 is not in the sum: no jinja2 here" in warnings_of(
        bundle.manifest
    )
    summary = markdown(bundle.manifest)
    assert summary.startswith("## 1 of 1 package and 1 of 1 group trained\n")
    assert "- **The projects** (`@pallets`), the sum of flask, click\n" in summary
    assert "  - jinja2 is not in the sum: no jinja2 here\n" in summary


def test_a_part_that_cannot_be_fetched_fails_the_group_and_not_the_others():
    bundle = run(config_of(), shelf(click=DownloadsError("the source is down")))
    assert bundle.names == ["flask"]
    entry = entry_of(bundle)
    assert entry.status == "failed"
    assert entry.reason == "there are no counts of its part click: the source is down"
    assert [part.name for part in entry.parts] == ["flask", "click", "jinja2"]
    assert not bundle.has_history("@pallets")


def test_packages_and_groups_with_the_same_reason_are_counted_apart():
    failing = config_of(*(f"p{at}" for at in range(30)))
    bundle = run(failing, shelf())
    entries = {
        name: entry.model_copy(update={"status": "failed", "reason": "too few days"})
        for name, entry in bundle.manifest.packages.items()
    }
    failed = bundle.manifest.model_copy(update={"packages": entries})
    [warning] = warnings_of(failed)
    assert warning.startswith("::warning::30 packages and 1 group: too few days: p0, p1, ")
    assert markdown(failed).startswith("## 0 of 30 packages and 0 of 1 group trained\n")


def test_then_the_model_of_the_run_before_goes_on_serving():
    before = run(config_of(), shelf())
    source = shelf(last_day=dt.date(2026, 11, 28), click=DownloadsError("the source is down"))
    bundle = run(config_of(), source, previous=before, now=NEXT)
    entry = entry_of(bundle)
    assert entry.status == "carried"
    assert "click: the source is down; the model of 2026-11-22 goes on serving" in entry.reason
    assert bundle.history("@pallets").tolist() == before.history("@pallets").tolist()
    assert entry.parts == entry_of(before).parts


def test_a_group_without_any_counts_fails():
    bundle = run(config_of("numpy"), Shelf(numpy=counts()))
    assert entry_of(bundle).reason == "there are no counts of its part flask: no flask here"


def test_a_part_that_has_gone_since_the_run_before_has_stopped():
    before = run(config_of(), shelf())
    source = shelf(last_day=dt.date(2026, 12, 5), jinja2=UnknownPackageError("no jinja2 here"))
    bundle = run(config_of(), source, previous=before, now=CREATED_AT + dt.timedelta(days=14))
    assert remarks(bundle)["jinja2"] == "has no counts since 2026-11-21"
    history = bundle.history("@pallets")
    alive = source.contents["flask"] + source.contents["click"]
    assert history.iloc[-14:].tolist() == alive.iloc[-14:].tolist()
    whole = before.history("@pallets")
    assert history[: whole.index[-1]].tolist()[-20:] != alive[: whole.index[-1]].tolist()[-20:]
    assert history.index[-1].date() == dt.date(2026, 12, 5)


def test_the_sum_keeps_its_days_and_its_track_record():
    before = run(config_of(), shelf())
    bundle = run(config_of(), shelf(last_day=dt.date(2026, 11, 28)), previous=before, now=NEXT)
    history = bundle.history("@pallets")
    assert history.index[0] == before.history("@pallets").index[0]
    assert len(history) == 77
    track = bundle.track("@pallets")
    assert track["made_on"].astype("datetime64[D]").tolist() == [dt.date(2026, 11, 22)] * 7


def test_other_parts_make_another_series():
    before = run(config_of(), shelf())
    changed = config_of(packages=["flask", "click"])
    bundle = run(changed, shelf(last_day=dt.date(2026, 11, 28)), previous=before, now=NEXT)
    parts = [bundle.history(name) for name in ("flask", "click")]
    history = bundle.history("@pallets")
    assert history.tolist() == sum(parts).tolist()
    assert not bundle.track("@pallets")["date"].size
    assert bundle.tables[PAST].of("@pallets").empty
    assert bundle.track("flask")["date"].size


def test_a_model_of_other_parts_is_not_carried_over():
    before = run(config_of(), shelf())
    changed = config_of(packages=["flask", "click"])
    bundle = run(changed, shelf(), asked=["flask"], previous=before, now=NEXT)
    assert entry_of(bundle).status == "failed"
    same = run(config_of(), shelf(), asked=["flask"], previous=before, now=NEXT)
    assert entry_of(same).status == "carried"


def test_a_group_taken_out_of_the_config_leaves_its_history():
    before = run(config_of(), shelf())
    bundle = run(config_of().model_copy(update={"groups": ()}), shelf(), previous=before, now=NEXT)
    assert "@pallets" not in bundle.manifest.packages
    assert bundle.history("@pallets").tolist() == before.history("@pallets").tolist()


def test_a_new_part_counts_from_its_first_day():
    new = counts(days=20, size=5000)
    bundle = run(config_of(), shelf(jinja2=new))
    assert remarks(bundle)["jinja2"] == f"has no counts before {new.index[0].date()}"


def test_an_unknown_group_is_wrong_usage(tmp_path, capsys, caplog):
    text = Path(__file__).parents[3].joinpath("config.toml").read_text(encoding="utf-8")
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    words = ["@palets", f"--config={path}", "--source=sample", f"--output={tmp_path / 'models'}"]
    with caplog.at_level("ERROR"):
        assert cli.run(words, {}) == 2
    assert 'package "@palets": is no group of the config; it has no groups' in caplog.text
    assert not (tmp_path / "models").exists()
    assert capsys.readouterr().out == ""


def test_the_name_of_a_group_alone_gets_a_hint_at_the_group(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(cli, "_in_order", lambda *_: None)
    path = tmp_path / "config.toml"
    path.write_text(GROUP_TEXT, encoding="utf-8")
    words = ["Pallets", "@pallets", "flask", f"--config={path}", "--source=sample"]
    assert cli.run([*words, f"--output={tmp_path / 'models'}"], {}) == 0
    assert caplog.messages == [
        "Pallets is taken as the package on PyPI; for the group of that name ask for @pallets"
    ]


@pytest.mark.parametrize("name", ["@../x", "@", "@@pallets"])
def test_no_other_name_is_a_group(name):
    with pytest.raises(ConfigError):
        parse_packages([name])
