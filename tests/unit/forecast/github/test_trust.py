"""Each rule of trust, without a call."""

from __future__ import annotations

import json

import pytest

from forecast.github.trust import ListedArtifact, TrustRules, WorkflowRun, trusted_artifact

RULES = TrustRules("owner/repo", "main", "upload_artifact.yml", max_bytes=1000)
REFERENCE = {
    "id": 7,
    "repository_id": 1,
    "head_repository_id": 1,
    "head_branch": "main",
    "head_sha": "a" * 40,
}
LISTED = {
    "id": 3,
    "name": "models",
    "size_in_bytes": 1000,
    "expired": False,
    "created_at": "2026-11-22T06:00:00Z",
    "digest": "sha256:" + "0" * 64,
    "workflow_run": REFERENCE,
}
WORKFLOW = ".github/workflows/upload_artifact.yml"
RUN = {
    "id": 7,
    "status": "completed",
    "conclusion": "success",
    "event": "schedule",
    "path": WORKFLOW,
    "head_branch": "main",
    "head_sha": "a" * 40,
    "repository": {"id": 1, "owner": {"id": 2}},
    "head_repository": {"id": 1},
}


def listed(**changes):
    return ListedArtifact.model_validate_json(json.dumps(LISTED | changes))


def broken_by_run(**changes):
    run = WorkflowRun.model_validate_json(json.dumps(RUN | changes))
    return RULES.broken_by_run(listed().workflow_run, run)


def test_what_meets_every_rule_is_trusted():
    assert RULES.broken_by_artifact(listed()) is None
    assert broken_by_run() is None
    artifact = trusted_artifact(listed())
    assert (artifact.id, artifact.run_id, artifact.size) == (3, 7, 1000)
    assert artifact.head_sha == "a" * 40


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"workflow_run": None}, "the run that made it is unknown"),
        ({"workflow_run": REFERENCE | {"head_sha": None}}, "the run that made it is unknown"),
        ({"workflow_run": REFERENCE | {"head_sha": "A" * 40}}, "the run that made it is unknown"),
        ({"workflow_run": REFERENCE | {"head_repository_id": 2}}, "made by a fork"),
        ({"workflow_run": REFERENCE | {"head_repository_id": None}}, "made by a fork"),
        ({"workflow_run": REFERENCE | {"head_branch": "x"}}, "made on another branch than main"),
        ({"created_at": None}, "it has no date"),
        ({"digest": None}, "it has no SHA-256 digest"),
        ({"digest": "sha256:" + "0" * 63}, "it has no SHA-256 digest"),
        ({"digest": "sha256:" + "0" * 64 + "\n"}, "it has no SHA-256 digest"),
        ({"size_in_bytes": 1001}, "larger than 1,000 bytes"),
    ],
)
def test_what_breaks_a_rule_of_the_list(changes, reason):
    assert RULES.broken_by_artifact(listed(**changes)) == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": 8}, "its run is not the one listed"),
        ({"head_sha": "b" * 40}, "its run is not the one listed"),
        ({"repository": {"id": 2}}, "its run is not the one listed"),
        ({"head_repository": {"id": 2}}, "made by a fork"),
        ({"head_repository": None}, "made by a fork"),
        ({"repository": {"id": 1}}, "the owner of its repository is unknown"),
        ({"head_branch": "x"}, "made on another branch than main"),
        ({"path": f"{WORKFLOW}@refs/tags/main"}, "made on “refs/tags/main” and not on the branch"),
        ({"path": f"{WORKFLOW}@refs/heads/evil"}, "made on “refs/heads/evil” and not on"),
        ({"path": f"{WORKFLOW}@heads/main"}, "made on “heads/main” and not on the branch main"),
        ({"path": ".github/workflows/other.yml"}, "made by another workflow than"),
        ({"path": "evil/repo/.github/workflows/upload_artifact.yml"}, "made by another workflow"),
    ],
)
def test_what_breaks_a_rule_of_the_run(changes, reason):
    assert broken_by_run(**changes).startswith(reason)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "in_progress"}, "its run has not ended"),
        ({"conclusion": "failure"}, "its run did not succeed"),
        ({"conclusion": None}, "its run did not succeed"),
        ({}, None),
    ],
)
def test_whether_a_run_succeeded(changes, reason):
    run = WorkflowRun.model_validate_json(json.dumps(RUN | changes))
    assert RULES.unsuccessful(run) == reason


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "workflow_run", ""])
def test_a_run_that_others_can_start_is_not_trusted(event):
    assert broken_by_run(event=event).startswith("its run was started by another event than push")


@pytest.mark.parametrize("event", ["push", "schedule", "workflow_dispatch"])
def test_a_run_that_only_members_can_start_is_trusted(event):
    assert broken_by_run(event=event) is None


@pytest.mark.parametrize("prefix", ["", "owner/repo/", "Owner/Repo/"])
@pytest.mark.parametrize("suffix", ["", "@main", "@refs/heads/main"])
def test_the_workflow_s_path_may_hold_repository_and_branch(prefix, suffix):
    path = f"{prefix}.github/workflows/upload_artifact.yml{suffix}"
    assert broken_by_run(path=path) is None


def test_rules_that_are_bound_take_no_other_repository_or_owner():
    run = WorkflowRun.model_validate_json(json.dumps(RUN))
    bound = RULES.bound_to(run.repository)
    assert (bound.repository_id, bound.owner_id) == (1, 2)
    assert bound.broken_by_artifact(listed()) is None
    assert bound.broken_by_run(listed().workflow_run, run) is None
    other = listed(workflow_run=REFERENCE | {"repository_id": 5, "head_repository_id": 5})
    assert bound.broken_by_artifact(other).startswith("expected the repository with the id 1, got")
    transferred = RUN | {"repository": {"id": 1, "owner": {"id": 6}}}
    moved = WorkflowRun.model_validate_json(json.dumps(transferred))
    reason = bound.broken_by_run(listed().workflow_run, moved)
    assert reason.startswith("expected the owner with the id 2, got 6: the name belongs to another")
    assert bound.bound_to(moved.repository) == bound


def test_the_later_artifact_is_the_newer_and_of_the_same_second_that_with_the_larger_number():
    ages = [
        listed(created_at=None, id=9).age,
        listed(id=3).age,
        listed(id=4).age,
        listed(created_at="2026-11-22T06:00:01Z", id=1).age,
    ]
    assert ages == sorted(ages)
    assert len(set(ages)) == 4
