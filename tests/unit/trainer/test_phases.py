"""A run over several packages, phase by phase: what fails stays with its package."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from forecast.bundle.manifest import PackageEntry
from forecast.bundle.writer import Writer
from forecast.config import Config, parse_packages
from forecast.errors import ConfigError, DownloadsError, UnknownPackageError
from forecast.sources.retry import UnavailableError
from forecast.sources.sample import Sample
from forecast.sources.source import OneByOne
from tests.bundles import CREATED_AT, counts, files_of, in_memory, with_files
from tests.weekly import without_search
from trainer.engines.local import execute
from trainer.engines.task import train_package
from trainer.fetch import fetch
from trainer.join import join
from trainer.plan import Part, Plan
from trainer.previous import digest
from trainer.reports.summary import (
    NOT_TRAINED,
    annotation,
    markdown,
    plain,
    staleness,
    warnings_of,
)
from trainer.store import Store
from trainer.train import train

if TYPE_CHECKING:
    from forecast.bundle.manifest import Kind

RUN: dict[str, Any] = {
    "created_at": CREATED_AT,
    "commit": "0123abc",
    "run": "https://github.com/o/r/actions/runs/1",
    "versions": {"python": "3.12.0"},
}
WHOLE = Part()


def config_of(*packages):
    return Config.model_validate(
        {
            "packages": packages,
            "username": "somebody",
            "repo_name": "some-repo",
            "forecast_days": 30,
            "m_values": [3, 6, 7],
        }
    )


class Shelf(OneByOne):
    """A source with what a test puts into it; an exception is raised."""

    kind: Kind = "folder"

    def __init__(self, **contents):
        self.contents = contents
        self.asked = []

    def daily(self, name):
        self.asked.append(name)
        content = self.contents.get(name, UnknownPackageError(f"no {name} here"))
        if isinstance(content, Exception):
            raise content
        return content


def plan_of(config, source, *, asked=None, previous=None, **changed):
    return Plan(
        **(RUN | changed),
        source=source.kind,
        mirrors=config.mirrors,
        forecast_days=config.forecast_days,
        m_values=config.m_values,
        packages=config.packages if asked is None else parse_packages(asked),
        configured=config.packages,
        outages=tuple(sorted(config.outages)),
        previous=digest(previous) if previous else "",
    )


def one_by_one(tasks, _most):
    return map(train_package, tasks)


def without_progress(fetched, _most):
    return fetched


def fetched(folder, plan, source, previous=None):
    """A run that has been fetched."""
    store = Store.begin(folder, plan)
    fetch(store, source, previous, without_progress)
    return store


def joined(store, previous=None):
    """The bundle of a run."""
    with tempfile.TemporaryDirectory() as folder:
        join(store, previous, Writer(Path(folder), 30))
        return in_memory(Path(folder))


def run(config, source, execute=without_search, *, asked=None, previous=None, **changed):
    """The bundle of a whole run; its models cost no search unless ``execute`` makes one."""
    plan = plan_of(config, source, asked=asked, previous=previous, **changed)
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(fetched(Path(folder), plan, source, previous)) as store,
    ):
        train(store, WHOLE, execute)
        return joined(store, previous)


def all_but_seconds(bundle):
    """The files of a bundle, of the manifest all but how long each package took."""
    files = files_of(bundle)
    manifest = re.sub(rb'"seconds": ?[0-9.]+', b"", files.pop("manifest.json"))
    return files | {"manifest.json": manifest}


@pytest.fixture(scope="module")
def bundle():
    sample = Sample(dt.date(2026, 11, 22))
    source = Shelf(
        good=sample.daily("good"),
        fair=sample.daily("fair"),
        short=counts(days=20),
        new=counts(days=9),
        failing=DownloadsError("PyPI Stats answered 500 | <b>twice</b>"),
    )
    config = config_of("good", "Fair", "short", "new", "failing", "unknown")
    return run(config, source, one_by_one)


def test_every_package_has_an_entry_in_the_order_of_the_config(bundle):
    entries = bundle.manifest.packages
    assert list(entries) == ["good", "fair", "short", "new", "failing", "unknown"]
    assert [entry.status for entry in entries.values()] == ["trained"] * 3 + ["failed"] * 3
    assert entries["fair"].label == "Fair"


def test_each_failure_has_its_reason(bundle):
    entries = bundle.manifest.packages
    assert entries["new"].reason.startswith("has 9 observed days; a forecast needs 14")
    assert entries["failing"].reason == "PyPI Stats answered 500 | <b>twice</b>"
    assert entries["unknown"].reason == "no unknown here"


def test_a_short_series_has_a_model_and_no_backtest(bundle):
    entry = bundle.manifest.packages["short"]
    assert entry.n_obs == 20
    assert entry.backtest.mase is None


def test_an_entry_says_what_was_chosen_and_how_good_it_is(bundle):
    entry = bundle.manifest.packages["good"]
    assert entry.trained_through == dt.date(2026, 11, 21)
    assert entry.n_obs == 180
    assert entry.m in {1, 3, 6, 7}
    assert sum(member.weight for member in entry.members) == pytest.approx(1)
    assert entry.backtest.origins >= 2
    assert entry.backtest.mase > 0
    assert entry.backtest.naive_mase > 0


def test_the_bundle_holds_the_history_as_fetched(bundle):
    assert len(bundle.history("good")) == 181


def test_the_manifest_says_where_it_comes_from(bundle):
    manifest = bundle.manifest
    assert (manifest.commit, manifest.run) == (RUN["commit"], RUN["run"])
    assert manifest.source == "folder"


def test_an_outage_of_all_is_repaired_in_all():
    sample = Sample(dt.date(2026, 11, 22))
    lost = pd.Timestamp("2026-09-09")
    shelf = Shelf(**{name: sample.daily(name).drop(lost) for name in ("a", "b", "c")})
    made = run(config_of("a", "b", "c"), shelf)
    assert made.manifest.outages == (lost.date(),)
    assert all(entry.repaired == (lost.date(),) for entry in made.manifest.packages.values())
    assert lost not in made.history("a").index


def test_a_surprise_in_training_ends_one_package_alone(monkeypatch):
    def explode(values, start, **_):
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr("trainer.engines.task.train", explode)
    made = run(config_of("a"), Shelf(a=SAMPLE.daily("a")), one_by_one)
    reason = made.manifest.packages["a"].reason
    assert reason.startswith("training failed at test_phases.py:")
    assert reason.endswith("ZeroDivisionError: by nought")


def test_a_source_that_is_asked_in_vain_three_times_running_is_asked_no_more():
    down = UnavailableError("down")
    shelf = Shelf(a=down, b=down, c=down)
    fetched = dict(shelf.fetch(["a", "b", "c", "d", "e"]))
    assert shelf.asked == ["a", "b", "c"]
    assert str(fetched["e"]) == "not asked for: the source failed too often before"


def test_wrong_answers_do_not_count_as_failures_of_the_source():
    wrong = {name: DownloadsError("wrong") for name in "abc"}
    fetched = dict(Shelf(**wrong, d=counts()).fetch(["a", "b", "c", "d"]))
    assert fetched["d"].equals(counts())
    assert {str(fetched[name]) for name in "abc"} == {"wrong"}


def test_unknown_packages_do_not_count_as_failures_of_the_source():
    fetched = dict(Shelf(d=counts()).fetch(["a", "b", "c", "d"]))
    assert fetched["d"].equals(counts())
    assert {str(fetched[name]) for name in "abc"} == {f"no {name} here" for name in "abc"}


def test_two_processes_give_the_same_models_as_one():
    config, source = config_of("a", "b"), Sample(dt.date(2026, 11, 22))
    one = run(config, source, lambda tasks, _most: execute(tasks, 1))
    two = run(config, source, lambda tasks, _most: execute(tasks, 2))
    assert all_but_seconds(one) == all_but_seconds(two)


SAMPLE = Sample(dt.date(2026, 11, 22))
SHORT = {name: counts(days=20, size=size) for name, size in (("a", 100), ("b", 200), ("c", 300))}
MANY = config_of("a", "b", "c")


def short_plan(**changed):
    return plan_of(MANY, Shelf(), **changed)


@pytest.fixture
def store(tmp_path):
    """A run of three packages that has been fetched."""
    with closing(fetched(tmp_path / "run", short_plan(), Shelf(**SHORT))) as store:
        yield store


def names_trained(store, part=WHOLE):
    """Train a part; the packages that were really trained for it."""
    seen = []

    def noting(tasks, _most):
        for task in tasks:
            seen.append(task.name)
            yield train_package(task)

    train(store, part, noting)
    return seen


def test_parts_make_the_same_bundle_as_one_machine(store, tmp_path):
    parts = [names_trained(store, Part(number, 2)) for number in (1, 2)]
    assert sorted(parts[0] + parts[1]) == ["a", "b", "c"]
    in_parts = joined(store)
    with closing(fetched(tmp_path / "other", short_plan(), Shelf(**SHORT))) as other:
        assert names_trained(other) == ["a", "b", "c"]
        whole = joined(other)
    assert all_but_seconds(in_parts) == all_but_seconds(whole)


def test_a_part_that_did_not_end_costs_its_own_packages_alone(store):
    names_trained(store, Part(1, 2))
    made = joined(store)
    assert made.names == ["a", "c"]
    assert made.manifest.packages["b"].reason == NOT_TRAINED
    assert made.history("a").equals(SHORT["a"])


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path):
    def stopping(fetched, _most):
        yield next(fetched)
        raise KeyboardInterrupt

    shelf = Shelf(**SHORT, down=DownloadsError("down"))
    plan = plan_of(config_of("a", "down", "b", "c"), shelf)
    with (
        closing(Store.begin(tmp_path, plan)) as store,
        pytest.raises(KeyboardInterrupt),
    ):
        fetch(store, shelf, None, stopping)
    assert shelf.asked == ["a"]
    later = plan.model_copy(update={"created_at": CREATED_AT + dt.timedelta(hours=2)})
    with closing(fetched(tmp_path, later, shelf)) as store:
        assert shelf.asked == ["a", "down", "b", "c"]

        def dying(tasks, _most):
            yield train_package(next(iter(tasks)))
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train(store, WHOLE, dying)
    shelf.contents["down"] = counts(days=30)
    with closing(fetched(tmp_path, later, shelf)) as store:
        assert shelf.asked == ["a", "down", "b", "c", "down"]
        assert names_trained(store) == ["down", "b", "c"]
        made = joined(store)
    assert made.names == ["a", "down", "b", "c"]
    assert made.manifest.created_at == later.created_at


@pytest.mark.parametrize(
    "changed",
    [
        {"created_at": CREATED_AT + dt.timedelta(days=1)},
        {"code": "another program"},
        {"commit": "another"},
        {"versions": {"python": "3.13.0"}},
        {"requested_source": "another folder"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_another_run_begins_anew(tmp_path, changed):
    shelf = Shelf(**SHORT)
    with closing(fetched(tmp_path, short_plan(), shelf)) as store:
        names_trained(store)
    with closing(fetched(tmp_path, short_plan(**changed), shelf)) as store:
        assert shelf.asked == ["a", "b", "c"] * 2
        assert names_trained(store) == ["a", "b", "c"]


def test_outcomes_of_another_run_are_not_joined(store, tmp_path):
    names_trained(store, Part(1, 2))
    with closing(fetched(tmp_path / "other", short_plan(commit="other"), Shelf(**SHORT))) as other:
        names_trained(other, Part(2, 2))
    (tmp_path / "other" / Part(2, 2).file).rename(tmp_path / "run" / Part(2, 2).file)
    assert joined(store).names == ["a", "c"]


def test_a_run_that_is_not_fetched_to_its_end_is_neither_trained_nor_joined(tmp_path):
    with closing(Store.begin(tmp_path, short_plan())) as store:
        for phase in (lambda: names_trained(store), lambda: joined(store)):
            with pytest.raises(ConfigError, match="its fetch has not ended; run it again"):
                phase()


def test_a_damaged_run_is_told_by_name(store):
    store.close()
    (store.folder / "run.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(ConfigError, match=r"run\.sqlite"), closing(Store(store.folder)) as damaged:
        joined(damaged)
    with closing(Store.begin(store.folder, short_plan())) as anew:
        assert anew.plan == short_plan()


def test_no_run_where_there_is_none(tmp_path):
    with pytest.raises(ConfigError, match=r"run\.sqlite is not there; fetch one first"):
        Store(tmp_path)


def test_the_summary_has_a_row_for_each_model_and_a_line_for_each_failure(bundle):
    text = markdown(bundle.manifest)
    assert text.startswith("## 3 of 6 packages trained\n")
    assert "\n| good | " in text
    assert "2026-11-21" in text
    assert "### 3 without a model" in text
    assert "- **failing**: PyPI Stats answered 500 \\| \\<b\\>twice\\</b\\>" in text


def test_the_table_for_a_terminal_is_aligned(bundle):
    head, first, *_ = plain(bundle.manifest).splitlines()
    assert head.index("MASE") == first.index(
        f"{bundle.manifest.packages['good'].backtest.mase:.2f}"
    )


def test_annotations_are_escaped_and_at_most_ten(bundle):
    assert list(warnings_of(bundle.manifest))[2] == "::warning::unknown: no unknown here"
    failing = config_of(*(f"p{number}" for number in range(30)))
    made = run(failing, Shelf(p0=DownloadsError("50 % of\nnothing")))
    lines = list(warnings_of(made.manifest))
    assert lines[0] == "::warning::p0: 50 %25 of nothing"
    names = ", ".join(f"p{number}" for number in range(1, 30))
    assert lines[1:] == [f"::warning::29 packages: no … here: {names}"]
    different = {f"p{number}": DownloadsError("x" * number) for number in range(1, 30)}
    lines = list(warnings_of(run(failing, Shelf(**different)).manifest))
    assert len(lines) == 10
    assert lines[-1] == "::warning::21 more reasons: see the job summary"


def manifest_of(bundle, **reasons):
    entries = {
        name: PackageEntry(label=name, status=status, reason=reason)
        for name, (status, reason) in reasons.items()
    }
    return bundle.manifest.model_copy(update={"packages": entries})


def test_what_the_owner_can_mend_comes_first(bundle):
    killed = {f"k{number}": ("carried", f"{NOT_TRAINED}; since 2026") for number in range(500)}
    lost = {f"l{number}": ("failed", NOT_TRAINED) for number in range(500)}
    misspelled = {f"m{n}": ("failed", f"“m{n}” is unknown: check it") for n in range(30)}
    manifest = manifest_of(bundle, **killed, **lost, **misspelled)
    first, *others = warnings_of(manifest)
    assert first.startswith("::warning::30 packages: “…” is unknown: check it: m0, m1, ")
    assert len(others) == 2
    text = markdown(manifest)
    assert text.index("**m29**") < text.index("**l0**") < text.index("**k0**")


def test_summary_and_annotations_are_bounded_by_bytes(bundle):
    reason = "é" * 500
    long = {f"f{number}": ("failed", f"{number} {reason}") for number in range(2_000)}
    same = {f"c{number}": ("carried", reason) for number in range(2_000)}
    manifest = manifest_of(bundle, **long, **same)
    assert len(markdown(manifest).encode()) < 1 << 20
    assert "of 2,000 are shown." in markdown(manifest)
    assert "**c0**" in markdown(manifest)
    lines = list(warnings_of(manifest))
    assert max(len(line.encode()) for line in lines) <= 4_096
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("letter", ["x", "é", "😀", "%"])
def test_a_message_has_at_most_4_kb_of_bytes(letter):
    line = annotation("error", letter * 5_000)
    assert 3_990 <= len(line.encode()) <= 4_096


def test_an_annotation_is_not_cut_within_an_escape():
    for length in range(3_990, 4_000):
        line = annotation("error", "x" * length + "%" * 20)
        assert re.fullmatch(r"::error::x+(%25)*…", line)


def test_sample_data_calls_itself_so():
    made = run(config_of("a"), Sample(dt.date(2026, 11, 22)))
    assert "**Sample data: these are no real downloads.**" in markdown(made.manifest)
    assert next(iter(warnings_of(made.manifest))).startswith("::warning::Trained on sample data")


WEEK_LATER = {"created_at": CREATED_AT + dt.timedelta(days=7), "commit": "4567def"}


@pytest.fixture(scope="module")
def previous():
    sample = Sample(dt.date(2026, 11, 22))
    return run(
        config_of("a", "b", "gone"), Shelf(**{n: sample.daily(n) for n in ("a", "b", "gone")})
    )


def week_later(config, source, previous, asked=None):
    return run(config, source, asked=asked, previous=previous, **WEEK_LATER)


def later_counts(name, days=30):
    """The last days of a series that has grown by a week, one of them corrected."""
    old = Sample(dt.date(2026, 11, 22)).daily(name)
    new = pd.Series(old.tolist()[:7], index=pd.date_range("2026-11-22", periods=7), dtype="int64")
    counts = pd.concat([old.tail(days), new])
    counts.loc["2026-11-20"] += 5
    return counts


def test_a_package_that_fails_keeps_its_earlier_model_and_says_since_when(previous):
    shelf = Shelf(a=later_counts("a"), b=DownloadsError("PyPI Stats is down"))
    made = week_later(config_of("a", "b"), shelf, previous)
    entry = made.manifest.packages["b"]
    assert entry.status == "carried"
    assert entry.reason == ("PyPI Stats is down; the model of 2026-11-22 goes on serving")
    assert made.pickle("b") == previous.pickle("b")
    assert made.forecast("b").equals(previous.forecast("b"))
    assert list(warnings_of(made.manifest)) == [f"::warning::b: {entry.reason}"]
    assert f"### 1 with an earlier model\n\n- **b**: {entry.reason}" in markdown(made.manifest)


def test_since_when_is_not_forgotten_by_the_run_after(previous):
    down = Shelf(a=later_counts("a"), b=DownloadsError("down"))
    second = week_later(config_of("a", "b"), down, previous)
    third = week_later(config_of("a", "b"), down, second)
    assert third.manifest.packages["b"].reason == "down; the model of 2026-11-22 goes on serving"


def test_the_history_outlives_what_the_source_remembers(previous):
    made = week_later(config_of("a", "b"), Shelf(a=later_counts("a")), previous)
    history = made.history("a")
    assert len(history) == 188
    assert history[pd.Timestamp("2026-11-20")] == previous.history("a")["2026-11-20"] + 5
    assert made.manifest.packages["a"].revised == 1
    assert made.manifest.packages["a"].trained_through == dt.date(2026, 11, 28)
    assert made.manifest.packages["a"].n_obs == 180


def test_the_history_of_a_package_taken_out_is_kept_without_its_model(previous):
    made = week_later(config_of("a"), Shelf(a=later_counts("a")), previous)
    assert list(made.manifest.packages) == ["a"]
    assert made.history("gone").equals(previous.history("gone"))
    assert len(made.history("b")) == 181


def test_a_run_for_one_package_loses_no_other(previous):
    made = week_later(config_of("a", "b"), Shelf(a=later_counts("a")), previous, asked=["a"])
    assert made.names == ["a", "b"]
    assert made.manifest.packages["b"].reason.startswith("not asked for in this run; the model")
    assert list(warnings_of(made.manifest)) == []


def test_an_earlier_model_that_cannot_be_read_is_not_carried(previous):
    broken = with_files(previous, b__pkl=b"broken")
    made = week_later(config_of("a", "b"), Shelf(a=later_counts("a")), broken)
    entry = made.manifest.packages["b"]
    assert entry.status == "failed"
    assert entry.reason.startswith("no b here; the model's pickle ")
    assert made.names == ["a"]


def test_data_that_is_five_days_old_is_stale_and_four_are_not(previous):
    manifest = previous.manifest
    for days, expected in ((5, ""), (6, "the newest count of any package is of 2026-11-21")):
        later = manifest.model_copy(
            update={
                "source": "pypistats",
                "created_at": CREATED_AT + dt.timedelta(days=days - 2),
            }
        )
        assert staleness(later).startswith(expected)
        assert bool(staleness(later)) == bool(expected)


def test_a_dead_and_a_rare_package_are_known_as_far_as_the_others():
    alive = counts(days=100)
    last = alive.index[-1].date()
    rare = pd.Series(2, index=alive.index[:60:2], dtype="int64")
    source = Shelf(alive=alive, dead=alive.iloc[:60], rare=rare, late=alive.iloc[:95])
    made = run(config_of("alive", "dead", "rare", "late"), source)
    through = {name: entry.trained_through for name, entry in made.modelled.items()}
    late = last - dt.timedelta(days=5)
    assert through == {"alive": last, "dead": last, "rare": last, "late": late}
    stopped = {name: entry.no_counts_since for name, entry in made.modelled.items()}
    dead = alive.index[59].date()
    assert stopped == {"alive": None, "dead": dead, "rare": None, "late": None}
    assert made.forecast("dead").index[0].date() == last + dt.timedelta(days=1)
    assert made.totals("dead")[30].mean < 100 < made.totals("alive")[30].mean
    assert made.history("dead").index[-1].date() == dead  # zeros are no counts
    assert f"no counts since {dead}" in made.picture("dead.badge.svg").decode()
    assert f"| no counts since {dead} |" in markdown(made.manifest)

    alone = run(config_of("alive", "dead"), source, asked=["dead"], previous=made, **WEEK_LATER)
    assert alone.entry("dead").trained_through == last


@pytest.mark.parametrize(("age", "over"), [(30, False), (31, True)])
def test_a_forecast_of_days_that_are_over_says_that_there_are_no_counts(age, over):
    last = CREATED_AT.date() - dt.timedelta(days=age)
    made = run(config_of("alone"), Shelf(alone=counts(last, days=60)))
    assert made.entry("alone").no_counts_since == (last if over else None)
    told = f"no counts since {last}"
    for picture in ("alone.svg", "alone.badge.svg"):
        assert (told in made.picture(picture).decode()) is over
    assert (told in markdown(made.manifest)) is over
