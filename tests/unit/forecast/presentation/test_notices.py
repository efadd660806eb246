import datetime as dt
from dataclasses import replace

import pytest

from forecast.presentation import wording
from forecast.presentation.notices import notices
from tests.bundles import CREATED_AT, LAST_DAY, make_bundle, outdated
from tests.unit.app.view.samples import SCORES, package_forecast

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def texts(bundle=None, shown=(), now=NOW, problem="", configured=()):
    manifest = bundle and bundle.manifest
    found = notices(manifest, shown, now, configured, problem=problem)
    return [(notice.kind, f"{notice.text} {notice.owner}".strip()) for notice in found]


RUN = "https://github.com/a-fork/of-it/actions/runs/17"


def test_models_of_another_repository_than_the_config_s_are_told():
    made = make_bundle()
    bundle = replace(made, manifest=made.manifest.model_copy(update={"run": RUN}))

    def told(repository):
        found = notices(bundle.manifest, [], NOW, (), repository)
        return [f"{notice.text} {notice.owner}" for notice in found]

    assert told("a-fork/of-it") == told("A-Fork/Of-It") == []
    (text,) = told("owner/repo")
    assert text.startswith("A run of a-fork/of-it made these models, and not one of owner/repo.")
    assert '`username = "a-fork"` and `repo_name = "of-it"`' in text


def test_own_files_are_not_pypi_stats():
    [(_, text)] = texts(
        make_bundle(source="folder"), [package_forecast()], now=NOW + dt.timedelta(5)
    )
    assert text.endswith("Add the newer days to the file, and train again.")


def test_nothing_to_notice():
    assert texts(make_bundle(), [package_forecast()]) == []


def test_sample_data_comes_first():
    bundle = make_bundle(source="sample")
    kind, text = texts(bundle, [package_forecast()], problem="x")[0]
    assert kind == "sample"
    assert "made up" in text


def test_a_problem_without_a_bundle_is_told_to_the_owner_alone():
    (found,) = notices(None, [], NOW, problem="Set GITHUB_TOKEN.")
    assert (found.kind, found.owner) == ("error", "Set GITHUB_TOKEN.")
    assert "TOKEN" not in found.text


def test_a_problem_beside_a_good_bundle_is_a_warning():
    [(kind, text)] = texts(make_bundle(), [], problem="GitHub is down.")
    assert kind == "warning"
    assert text.endswith("the last good ones are shown. GitHub is down.")


@pytest.mark.parametrize(("days", "old"), [(10, False), (11, True)])
def test_a_stale_model(days, old):
    found = texts(make_bundle(), [], now=CREATED_AT + dt.timedelta(days=days))
    assert bool(found) is old
    if old:
        assert "11 days old" in found[0][1]
        assert "start the workflow by hand" in found[0][1]


@pytest.mark.parametrize(("days", "old"), [(4, False), (5, True)])
def test_old_counts(days, old):
    now = dt.datetime.combine(LAST_DAY, dt.time(12), dt.UTC) + dt.timedelta(days=days)
    found = texts(make_bundle(), [package_forecast(), package_forecast("requests")], now=now)
    assert bool(found) is old
    if old:
        [(_, text)] = found
        assert "flask and requests are 5 days old (21 November 2026)" in text


@pytest.mark.parametrize(
    ("source", "on_demand", "remedy"),
    [
        ("pypistats", False, "Check whether PyPI Stats is up"),
        ("folder", False, "Add the newer days to the file, and train again."),
        ("folder", True, "Check whether PyPI Stats is up"),
        ("sample", False, "Train again: a sample ends on the day before."),
    ],
)
def test_old_counts_are_renewed_where_they_come_from(source, on_demand, remedy):
    now = dt.datetime.combine(LAST_DAY, dt.time(12), dt.UTC) + dt.timedelta(days=5)
    found = texts(make_bundle(source=source), [package_forecast(on_demand=on_demand)], now=now)
    [text] = [text for _, text in found if "days old" in text]
    assert remedy in text


def test_a_model_that_does_not_beat_the_naive_is_warned_of():
    worse = package_forecast("requests")
    vars(worse)["usual_error"] = 1.0
    [(kind, text)] = texts(make_bundle(), [package_forecast(), worse])
    assert kind == "warning"
    assert "Forecasts like that of requests were no better than" in text


def test_one_bad_month_is_no_reason_to_warn():
    worse = SCORES.model_copy(update={"ratio": 1.5})
    assert texts(make_bundle(), [package_forecast(scores=worse)]) == []


def test_models_of_an_earlier_version_are_told_once():
    made = package_forecast(on_demand=True)
    [(kind, text)] = texts(outdated(make_bundle()), [made], configured={"flask"})
    assert kind == "info"
    assert text.startswith("The published models were made by an earlier version")
    assert text.endswith("Run the workflow again.")


def test_missing_days_and_missing_models_are_told():
    found = texts(
        make_bundle(),
        [package_forecast(problem="Down."), package_forecast(on_demand=True)],
        configured={"flask"},
    )
    assert [kind for kind, _ in found] == ["info", "info"]
    assert "starts after 21 November 2026. Down." in found[0][1]
    assert (
        "flask has no model from the weekly run yet, so the page trained one today" in found[1][1]
    )


def carried():
    """A bundle that has flask's model from the run of the week before."""
    entry = (
        make_bundle()
        .manifest.packages["flask"]
        .model_copy(
            update={
                "status": "carried",
                "reason": "PyPI Stats is down; the model of 2026-11-15 goes on serving",
                "trained_at": CREATED_AT - dt.timedelta(days=7),
            }
        )
    )
    made = make_bundle()
    packages = {**made.manifest.packages, "flask": entry}
    manifest = made.manifest.model_copy(update={"packages": packages})
    return replace(made, manifest=manifest)


def test_a_model_of_an_earlier_run_is_told_and_its_reason_to_the_owner():
    found = notices(carried().manifest, [package_forecast()], NOW)
    [notice] = found
    assert notice.text == (
        "The last run made no new model of flask, so that of 15 November 2026 is used."
    )
    assert notice.owner == ("flask: PyPI Stats is down; the model of 2026-11-15 goes on serving.")
    assert notices(carried().manifest, [package_forecast("requests")], NOW) == []
    on_demand = package_forecast(on_demand=True)
    assert notices(carried().manifest, [on_demand], NOW) == []
    fresh = dict(wording.freshness(package_forecast(), carried().manifest))
    assert fresh["Last model updated on"] == dt.date(2026, 11, 15)


def test_a_model_that_cannot_be_read_is_told():
    made = package_forecast()
    vars(made)["change"] = None
    [(kind, text)] = texts(make_bundle(), [made])
    assert kind == "warning"
    assert "Run the workflow again" in text


def test_a_package_outside_the_config_needs_no_weekly_model():
    made = package_forecast(on_demand=True)
    assert texts(make_bundle(), [made], configured={"requests"}) == []
    assert texts(None, [made], configured={"flask"}) == []


def test_the_most_serious_notice_comes_first():
    worse = package_forecast(problem="Down.")
    vars(worse)["usual_error"] = 1.0
    found = texts(
        make_bundle(source="sample"),
        [worse],
        now=NOW + dt.timedelta(days=30),
        problem="GitHub is down.",
    )
    starts = ["These counts", "Newer models", "The models are", "The newest counts", "Newer days"]
    starts.append("Forecasts like that of flask")
    assert [text.startswith(start) for (_, text), start in zip(found, starts, strict=True)] == [
        True
    ] * 6
