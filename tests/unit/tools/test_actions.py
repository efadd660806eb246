"""The runner of workflows reads them as GitHub does, and refuses what it does not know."""

from __future__ import annotations

import pytest

from tests.actions.artifacts import ActionError, ArtifactStore
from tests.actions.expressions import ExpressionError, Expressions, Outputs
from tests.actions.runner import Runner, attest

CONTEXTS = {
    "github": {"event_name": "push"},
    "steps": {"fetch": {"outputs": Outputs(parts='["1/2", "2/2"]')}},
    "strategy": {"job-index": 1},
}
FINE = {"success": True, "failure": False, "cancelled": False, "always": True}
FAILED = FINE | {"success": False, "failure": True}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("github.event_name == 'PUSH'", True),
        ("github.event_name != 'push'", False),
        ("steps.fetch.outputs.other", ""),
        ("strategy.job-index", 1),
        ("fromJSON(steps.fetch.outputs.parts)", ["1/2", "2/2"]),
        ("!cancelled() && github.event_name", "push"),
        ("steps.fetch.outputs.other && github.event_name", ""),
        ("always() && strategy.job-index && steps.fetch.outputs.other == ''", True),
    ],
)
def test_values(text, value):
    assert Expressions(CONTEXTS, FINE).value(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *("github.actor", "steps.other.outputs.x", "vars.X", "hashFiles('x')", "1 == 1"),
        *("strategy.job-index == '1'", "(true)", "'a' || 'b'", "", "github.*", "a ? b"),
        *("success(github.event_name)", "fromJSON()", "github.event_name == 'a' == 'b'"),
    ],
)
def test_what_is_not_known_is_an_error(text):
    with pytest.raises(ExpressionError):
        Expressions(CONTEXTS, FINE).value(text)


@pytest.mark.parametrize(
    ("condition", "fine", "failed"),
    [
        (None, True, False),
        ("github.event_name == 'push'", True, False),
        ("${{ !cancelled() && github.event_name == 'push' }}", True, True),
        ("failure()", False, True),
        ("always()", True, True),
        ("steps.fetch.outputs.other", False, False),
    ],
)
def test_a_condition_without_a_status_function_asks_for_success(condition, fine, failed):
    assert Expressions(CONTEXTS, FINE).condition(condition) is fine
    assert Expressions(CONTEXTS, FAILED).condition(condition) is failed


def test_expressions_within_a_text():
    language = Expressions(CONTEXTS, FINE)
    assert language.filled({"name": "outcomes-${{ strategy.job-index }}", "days": 1}) == {
        "name": "outcomes-1",
        "days": 1,
    }


@pytest.fixture
def store(tmp_path):
    return ArtifactStore(tmp_path / "artifacts")


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_an_artifact_keeps_the_paths_below_what_was_asked_for(store, tmp_path):
    for name in ("run/run.sqlite", "run/outcomes-1.sqlite", "models/a/b.pkl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    for name, path in {
        "one": "run/run.sqlite",
        "several": "run/run.sqlite\nrun/previous.zip\n",
        "pattern": "run/outcomes-*.sqlite",
        "folder": "models/",
    }.items():
        store.upload(tmp_path, {"name": name, "path": path, "if-no-files-found": "error"})
    assert files(store.folder) == [
        "folder/a/b.pkl",
        "one/run.sqlite",
        "pattern/outcomes-1.sqlite",
        "several/run.sqlite",
    ]
    store.download(tmp_path, {"pattern": "*e*", "path": "merged", "merge-multiple": True})
    assert files(tmp_path / "merged") == ["a/b.pkl", "outcomes-1.sqlite", "run.sqlite"]
    store.download(tmp_path, {"pattern": "no-*", "path": "merged", "merge-multiple": True})
    with pytest.raises(ActionError, match="not found"):
        store.download(tmp_path, {"name": "other", "path": "merged"})


def test_an_artifact_is_not_empty_and_not_there_twice(store, tmp_path):
    given = {"name": "models", "path": "models/", "if-no-files-found": "error"}
    with pytest.raises(ActionError, match="No files were found"):
        store.upload(tmp_path, given)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "manifest.json").write_text("{}")
    store.upload(tmp_path, given)
    with pytest.raises(ActionError, match="already exists"):
        store.upload(tmp_path, given)
    store.upload(tmp_path, given | {"overwrite": True})


WORKFLOW = """\
jobs:
  last:
    needs: [first, parts]
    if: ${{ !cancelled() && needs.first.result == 'success' }}
    steps:
      - env: {GREETING: hello}
        run: echo "${GREETING} ${{ needs.first.outputs.words }} ${{ needs.parts.result }}"
  parts:
    needs: first
    name: Part ${{ matrix.word }}
    continue-on-error: true
    strategy: {fail-fast: false, matrix: {word: "${{ fromJSON(needs.first.outputs.words) }}"}}
    steps:
      - run: test "${{ matrix.word }}" = a
      - run: echo "after ${{ matrix.word }}"
      - if: failure()
        run: echo "despite ${{ matrix.word }}"
  first:
    outputs: {words: "${{ steps.say.outputs.words }}"}
    steps:
      - id: say
        run: echo 'words=["a","b"]' >> "${GITHUB_OUTPUT}"
  never:
    needs: skipped
    steps: [{run: "true"}]
  skipped:
    if: github.event_name == 'schedule'
    steps: [{run: "true"}]
"""


def run(tmp_path, workflow=WORKFLOW):
    folder = tmp_path / "checkout" / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "w.yml").write_text(workflow)
    return Runner(tmp_path / "checkout", CONTEXTS, {}).run("w.yml", tmp_path / "run")


def test_jobs_run_as_they_need_each_other(tmp_path):
    made = run(tmp_path)
    assert made.conclusion == "success"
    assert made.results == {
        "first": "success",
        "parts": "success",  # what a job that may fail is to those that need it
        "last": "success",
        "skipped": "skipped",
        "never": "skipped",
    }
    assert [(job.name, job.result) for job in made.jobs["parts"]] == [
        ("Part a", "success"),
        ("Part b", "failure"),
    ]
    first, second = made.jobs["parts"]
    assert first.log == "after a\n"
    assert "after b" not in second.log
    assert second.log.endswith("despite b\n")
    assert made.jobs["last"][0].log == 'hello ["a","b"] success\n'.replace('"', "")
    assert made.jobs["never"] == []


@pytest.mark.parametrize(
    "workflow",
    [
        "jobs: {a: {steps: [{run: 'true', shell: pwsh}]}}",
        "jobs: {a: {container: x, steps: []}}",
        "{env: {A: x}, jobs: {a: {steps: []}}}",
        "jobs: {a: {steps: [{uses: somebody/something@v1}]}}",
        "jobs: {a: {steps: [{uses: actions/upload-artifact@v7, with: {hidden: true}}]}}",
        "jobs: {a: {needs: b, steps: []}, b: {needs: a, steps: []}}",
    ],
)
def test_what_the_runner_does_not_know_is_an_error(tmp_path, workflow):
    with pytest.raises(AssertionError):
        run(tmp_path, workflow)


ATTEST = {"subject-name": "models.zip", "subject-digest": f"sha256:{'0' * 64}"}
MAY_SIGN = {"id-token": "write", "attestations": "write"}


def test_only_a_job_that_may_sign_attests_a_digest():
    assert attest(ATTEST, MAY_SIGN) == ATTEST
    for rights in ({}, {"id-token": "write"}, MAY_SIGN | {"attestations": "read"}):
        with pytest.raises(ActionError, match="ID token"):
            attest(ATTEST, rights)
    with pytest.raises(ActionError, match="subject-digest"):
        attest(ATTEST | {"subject-digest": "sha256:"}, MAY_SIGN)
