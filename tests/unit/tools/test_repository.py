"""Things that must agree with each other across files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import tomli
import yaml
from packaging.requirements import Requirement

from forecast.config import Config, load_config

ROOT = Path(__file__).parents[3]
LOCK = "requirements/lock.txt"
PINNED = ("bench", "clickhouse", "cluster", "dev")
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FRONT_MATTER = yaml.safe_load(README.split("---\n")[1])


def requirements(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    texts = [line for line in lines if line and not line.startswith(("#", "-r"))]
    return {requirement.name: requirement for requirement in map(Requirement, texts)}


def workflow(name):
    return yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))


def step_that_uses(job, action):
    (step,) = [each for each in job["steps"] if each.get("uses", "").startswith(action)]
    return step


def step_with_id(job, name):
    (step,) = [each for each in job["steps"] if each.get("id") == name]
    return step


def test_the_space_and_the_requirements_want_the_same_gradio():
    assert str(requirements("requirements.txt")["gradio"].specifier) == (
        f"=={FRONT_MATTER['sdk_version']}"
    )


REQUIREMENTS = ["requirements.txt", *(f"requirements/{name}.txt" for name in PINNED)]


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_requirement_is_pinned_exactly(name):
    for requirement in requirements(name).values():
        assert re.fullmatch(r"==[0-9][0-9.]*", str(requirement.specifier)), requirement


def test_every_file_of_requirements_is_held_to_that():
    there = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("requirements*.txt")}
    there |= {path.relative_to(ROOT).as_posix() for path in ROOT.glob("requirements/*")}
    assert there == {*REQUIREMENTS, LOCK}


def locked():
    """Each requirement of the lock, with its hashes."""
    text = (ROOT / LOCK).read_text(encoding="utf-8").replace("\\\n", "")
    for line in filter(None, text.splitlines()):
        if not line.startswith("#"):
            requirement, *hashes = re.split(r"\s+--hash=", line.strip())
            yield Requirement(requirement), hashes


def test_the_lock_agrees_with_the_requirements():
    versions = {each.name: str(each.specifier) for each, _ in locked() if each.marker is None}
    for name, requirement in requirements("requirements.txt").items():
        assert versions[name] == str(requirement.specifier), name


def test_the_lock_has_a_hash_of_everything_and_no_address():
    for requirement, hashes in locked():
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), requirement
    text = (ROOT / LOCK).read_text(encoding="utf-8")
    assert not re.search(r"://|^\s*-(?!-hash=)", text, re.MULTILINE)


def test_all_that_a_training_job_installs_is_the_lock():
    jobs = workflow("upload_artifact.yml")["jobs"]
    for name in ("train", "part", "join"):
        installs = [step["run"] for step in jobs[name]["steps"] if "install" in step.get("run", "")]
        options = "--quiet --no-compile --no-deps --only-binary=:all: --require-hashes"
        assert installs == [f"python -m pip install {options} -r {LOCK}"], name


def test_the_named_packages_are_all_there():
    named = {"pmdarima", "pandas", "requests", "gradio", "plotly", "tomli"}
    assert named <= requirements("requirements.txt").keys()


def test_the_front_matter_is_one_that_a_space_takes():
    assert README.startswith("---\ntitle: PyPI Download Forecast\nemoji: 📈\n")
    assert FRONT_MATTER["sdk"] == "gradio"
    assert FRONT_MATTER["colorFrom"] == "blue"
    assert FRONT_MATTER["colorTo"] == "yellow"
    assert len(FRONT_MATTER["short_description"]) <= 60
    assert (ROOT / FRONT_MATTER["app_file"]).is_file()
    assert set(FRONT_MATTER["tags"]) == {"time-series-forecasting", "mcp-server", "pypi"}
    config = load_config(ROOT / "config.toml")
    raw = f"https://raw.githubusercontent.com/{config.username}/{config.repo_name}/main/"
    assert FRONT_MATTER["thumbnail"].startswith(raw)
    assert (ROOT / FRONT_MATTER["thumbnail"].removeprefix(raw)).is_file()


def test_the_space_and_the_workflow_use_one_python():
    jobs = workflow("upload_artifact.yml")["jobs"]
    for name in ("train", "part", "join"):
        setup = step_that_uses(jobs[name], "actions/setup-python@")
        assert setup["with"]["python-version"] == FRONT_MATTER["python_version"] == "3.12"


def test_the_readme_has_every_key_of_the_config():
    rows = dict(re.findall(r"^\| `(\w+)` \|([^|]*)\|", README, flags=re.MULTILINE))
    for key, field in Config.model_fields.items():
        default = rows[key].strip("` ")
        if field.is_required():
            assert default == ""
        elif default == "none":
            assert not field.default, key
        else:
            assert tomli.loads(f"x = {default}")["x"] == field.default


def test_the_files_that_the_readme_shows_are_there():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).is_file(), target


def test_the_training_workflow_is_the_one_that_the_app_trusts():
    config = load_config(ROOT / "config.toml")
    document = workflow(config.workflow_file)
    for job in ("train", "join"):  # whichever comes to the end of a run
        upload = step_with_id(document["jobs"][job], "upload")
        assert upload["uses"].startswith("actions/upload-artifact@")
        assert upload["with"]["name"] == config.artifact_name
        assert upload["with"]["if-no-files-found"] == "error"
        assert upload["with"]["retention-days"] == 30
    triggers = document[True]  # YAML 1.1 reads `on` as true
    assert set(triggers) == {"schedule", "workflow_dispatch", "push"}
    assert triggers["push"]["branches"] == [config.default_branch]
    assert {"config.toml", "trainer/**"} <= set(triggers["push"]["paths"])


def test_what_is_uploaded_is_what_is_attested():
    config = load_config(ROOT / "config.toml")
    jobs = workflow(config.workflow_file)["jobs"]
    (attest,) = jobs["attest"]["steps"]
    assert attest["uses"].startswith("actions/attest@")
    # One of the two has uploaded, and the digest of the other is empty.
    digests = "${{ needs.train.outputs.digest }}${{ needs.join.outputs.digest }}"
    assert attest["with"] == {
        "subject-name": f"{config.artifact_name}.zip",
        "subject-digest": f"sha256:{digests}",
    }
    for name in ("train", "join"):
        upload = step_with_id(jobs[name], "upload")
        digest = f"${{{{ steps.{upload['id']}.outputs.artifact-digest }}}}"
        assert jobs[name]["outputs"]["digest"] == digest
    assert "continue-on-error" not in {*attest, *jobs["attest"]}


def test_the_job_that_signs_runs_nothing_of_ours_and_no_other_may_sign():
    jobs = workflow("upload_artifact.yml")["jobs"]

    def may(right):
        return {name for name, job in jobs.items() if right in job["permissions"]}

    assert may("attestations") == {"attest"}
    assert may("id-token") == {"attest", "pages"}
    for name, action in (("attest", "actions/attest@"), ("pages", "actions/deploy-pages@")):
        (step,) = jobs[name]["steps"]
        assert step["uses"].startswith(action)
    assert jobs["attest"]["permissions"] == {"id-token": "write", "attestations": "write"}


def test_the_site_is_published_only_where_that_is_asked_for_and_costs_no_models():
    jobs = workflow("upload_artifact.yml")["jobs"]
    assert "vars.PAGES != ''" in jobs["pages"]["if"]
    assert jobs["pages"]["continue-on-error"] is True
    for name in ("train", "join"):
        job = jobs[name]
        write = step_with_id(job, "write")
        assert write["env"] == {"PAGES": "${{ vars.PAGES }}"}
        assert "--output models ${PAGES:+--site site}\n" in write["run"]
        (upload,) = [step for step in job["steps"] if "upload-pages" in step.get("uses", "")]
        assert upload["continue-on-error"] is True
        assert job["steps"].index(upload) > job["steps"].index(step_with_id(job, "upload"))
        assert job["outputs"]["site"] == upload["with"]["name"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_nothing_that_is_typed_or_configured_is_put_into_a_command(path):
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
    commands = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    assert not [command for command in commands if "${{" in command]


def test_what_is_typed_into_the_form_is_no_option():
    fetch = step_with_id(workflow("upload_artifact.yml")["jobs"]["train"], "fetch")
    assert fetch["env"]["PACKAGES"] == "${{ inputs.packages }}"
    assert fetch["run"].endswith(' -- "${PACKAGES}"')


def test_each_training_job_may_do_what_it_must_and_no_more():
    jobs = workflow("upload_artifact.yml")["jobs"]
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "train": {"contents": "read", "actions": "read"},
        "part": {"contents": "read"},
        "join": {"contents": "read"},
        "attest": {"id-token": "write", "attestations": "write"},
        "pages": {"pages": "write", "id-token": "write"},
        "keep-alive": {"actions": "write"},
    }
    told = {
        (name, step.get("name"))
        for name, job in jobs.items()
        for step in job["steps"]
        if re.search(r"github\.token|secrets\.", str(step))
    }
    assert told == {("train", "Fetch"), ("keep-alive", "Enable this workflow anew")}


def test_a_part_that_runs_out_of_time_fails_before_its_job_is_cancelled():
    part = workflow("upload_artifact.yml")["jobs"]["part"]
    (train,) = [step for step in part["steps"] if step.get("name") == "Train"]
    assert part["continue-on-error"] is True
    assert train["timeout-minutes"] <= part["timeout-minutes"] - 15


def test_side_jobs_and_other_runs_cost_no_run_its_models():
    document = workflow("upload_artifact.yml")
    jobs = document["jobs"]
    assert jobs["keep-alive"]["continue-on-error"] is True
    assert not any("keep-alive" in job.get("needs", []) for job in jobs.values())
    assert document["concurrency"]["queue"] == "max"
    assert document["concurrency"]["cancel-in-progress"] is False


def test_failed_jobs_can_be_run_again_on_a_later_day():
    jobs = workflow("upload_artifact.yml")["jobs"].values()
    steps = [step for job in jobs for step in job["steps"] if "upload-art" in step.get("uses", "")]
    assert all(step["with"]["retention-days"] >= 7 for step in steps)


def test_a_job_that_is_run_again_replaces_what_it_uploaded():
    jobs = workflow("upload_artifact.yml")["jobs"].values()
    steps = [step for job in jobs for step in job["steps"] if "upload-art" in step.get("uses", "")]
    assert len(steps) == 4
    for step in steps:
        assert step["with"]["overwrite"] is True


def test_what_runs_elsewhere_is_audited():
    (step,) = [step for step in workflow("tests.yml")["jobs"]["audit"]["steps"] if "run" in step]
    audited = set(re.findall(r"--requirement (\S+)", step["run"]))
    assert audited == {LOCK, "requirements/cluster.txt"}
    cluster = (ROOT / "requirements" / "cluster.txt").read_text(encoding="utf-8")
    assert "\n-r ../requirements.txt\n" in cluster


def test_a_release_waits_a_week_wherever_it_is_pinned():
    document = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))
    updates = {each["package-ecosystem"]: each for each in document["updates"]}
    folders = {f"/{Path(name).parent.as_posix()}".rstrip(".") for name in (LOCK, *REQUIREMENTS)}
    assert set(updates["pip"]["directories"]) == folders
    assert {each["cooldown"]["default-days"] for each in updates.values()} == {7}
    assert '--exclude-newer "7 days"' in MAKEFILE


def test_a_commit_is_checked_as_by_make_check():
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert repo["repo"] == "local"
    targets = re.search(r"^check: ([a-z ]+) ##", MAKEFILE, re.MULTILINE)[1].split()
    assert [hook["entry"] for hook in repo["hooks"]] == [f"make {each}" for each in targets]


def test_the_license_is_the_same_everywhere():
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"].casefold() == FRONT_MATTER["license"] == "mit"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License\n")


def test_the_newest_release_in_the_changelog_is_this_version():
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[([^]]+)\]", text, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert headings[1] == project["version"]


def test_the_schedule_runs_weekly_after_the_nightly_load_and_off_the_hour():
    (schedule,) = workflow("upload_artifact.yml")[True]["schedule"]
    minute, hour, day, month, weekday = schedule["cron"].split()
    assert int(minute) not in {0, 15, 30, 45}
    assert int(hour) >= 2
    assert (day, month) == ("*", "*")
    assert weekday in set("0123456")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_have_least_permissions_pins_and_limits(path):
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert document["permissions"] == {}
    assert "concurrency" in document
    for job in document["jobs"].values():
        assert job["timeout-minutes"] <= 360
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]), step["uses"]
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


def tracked():
    """The files under version control."""
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return list(filter(None, names.split("\0")))


@pytest.mark.parametrize("page", ["docs/architecture.md", "SECURITY.md"])
def test_every_path_in_the_page_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    files = set(tracked())
    folders = {f"{folder}/" for name in files for folder in Path(name).parents}
    paths = re.findall(r"`([^`\s:]+/[^`\s:]*)`", text)
    assert len(paths) > 20
    for path in paths:
        assert path in files | folders, path


def test_no_file_says_where_it_was_made():
    places = re.compile(rb"/(?:work|root|home|tmp)/\w", re.IGNORECASE)
    for name in tracked():
        path = ROOT / name
        if path.suffix == ".png" or path == Path(__file__) or not path.is_file():
            continue
        assert not places.search(path.read_bytes()), name


def test_every_loop_of_a_test_has_a_thread_of_its_own():
    """In that of a test Playwright's loop may run, if browser tests ran before it."""
    begins = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("*.py")
        if re.search(r"\basyncio\.run\(", path.read_text("utf-8"))
    ]
    assert begins == []
