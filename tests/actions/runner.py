"""Runs a workflow: its jobs in the order of their needs, those of a matrix side by side.

Each job has its own workspace, as on a hosted runner. ``run:`` steps are real processes in it.
Of the actions, those that our workflow uses are supported. An unknown key, action or expression
is an error, so nothing is skipped silently.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.actions.artifacts import ActionError, ArtifactStore
from tests.actions.expressions import Expressions, Outputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0  # seconds for a step
COMMIT = "c0ffee" * 6 + "c0ff"
JOB_KEYS = {
    *("name", "needs", "if", "continue-on-error", "runs-on", "timeout-minutes", "permissions"),
    *("outputs", "strategy", "steps", "environment"),
}
STEP_KEYS = {
    *("name", "id", "if", "uses", "with", "env", "run", "timeout-minutes", "continue-on-error"),
}


def copy_checkout(target: Path) -> Path:
    """Copy the files of a checkout of this project."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


# Into the environment of the tests, in which to do it again would do nothing.
_INSTALLED: set[tuple[str, bytes]] = set()


class _JobError(Exception):
    """A step failed."""


@dataclass
class Job:
    """One job, or one of a matrix, and its result.

    Attributes:
        name: as GitHub shows it.
        folder: the runner's own files, and the workspace.
        result: "success" or "failure".
        log: the output of its steps, both streams.
        attested: inputs of each ``actions/attest``.
        deployed: names of the artifacts that ``actions/deploy-pages`` published.
    """

    name: str
    folder: Path
    result: str = "success"
    log: str = ""
    outputs: Outputs = field(default_factory=Outputs)
    attested: list[dict[str, Any]] = field(default_factory=list)
    deployed: list[str] = field(default_factory=list)
    _process: subprocess.Popen[str] | None = None

    @property
    def workspace(self) -> Path:
        """The folder in which its steps run."""
        return self.folder / "workspace"

    @property
    def summary(self) -> str:
        """The job summary that the steps wrote."""
        return (self.folder / "summary.md").read_text(encoding="utf-8")

    def kill(self) -> None:
        """Kill the running step with all its processes."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


@dataclass
class Run:
    """A run of a workflow, and its results.

    Attributes:
        jobs: id to the jobs that ran; empty for a skipped one.
        results: id to its result, as in ``needs``.
        artifacts: the uploaded ones.
        attempt: how often it was started.
    """

    artifacts: ArtifactStore
    jobs: dict[str, list[Job]] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    attempt: int = 1

    @property
    def conclusion(self) -> str:
        """A job with ``continue-on-error`` counts as a success, as in its ``result``."""
        return "failure" if "failure" in self.results.values() else "success"

    def succeeded(self, name: str) -> dict[int, Job]:
        """Index in its matrix to each successful job of this id."""
        jobs = enumerate(self.jobs.get(name, []))
        return {index: job for index, job in jobs if job.result == "success"}

    @property
    def log(self) -> str:
        """Of all jobs."""
        return "".join(job.log for jobs in self.jobs.values() for job in jobs)


@dataclass
class Runner:
    """Hosted runners.

    Args:
        checkout: the folder that ``actions/checkout`` copies.
        contexts: such as ``github`` and ``inputs``; the runner makes the others.
        environment: variables in addition to those of a runner.
        python: the command in whose folder the steps look for ``python`` first.
        watch: called with the command of a step, and with each line of its output.
    """

    checkout: Path
    contexts: Mapping[str, Any]
    environment: Mapping[str, str]
    watch: Callable[[Job, str], None] = lambda job, line: None
    python: str = sys.executable

    def run(self, workflow: str, folder: Path) -> Run:
        """Run a workflow; its files go into a new folder."""
        folder.mkdir()
        run = Run(ArtifactStore(folder / "artifacts"))
        self._run_jobs(workflow, folder, run)
        return run

    def rerun_failed(self, workflow: str, folder: Path, run: Run) -> None:
        """Do as "Re-run failed jobs": run them, and the jobs that need them, again."""
        folder.mkdir()
        run.attempt += 1
        self._run_jobs(workflow, folder, run)

    def _run_jobs(self, workflow: str, folder: Path, run: Run) -> None:
        path = self.checkout / ".github" / "workflows" / workflow
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        _know(document, {"name", True, "permissions", "concurrency", "jobs"})  # `on` reads as true
        fresh: set[str] = set()
        for name, job in _in_order(document["jobs"]):
            _know(job, JOB_KEYS)
            kept = {} if fresh & {*_listed(job.get("needs", []))} else run.succeeded(name)
            if kept and len(kept) == len(run.jobs[name]):
                continue
            if run.jobs.get(name):
                fresh.add(name)
            _JobRunner(self, run, name, job, kept).run(folder)


@dataclass
class _JobRunner:
    runner: Runner
    all: Run
    id: str
    job: Mapping[str, Any]
    kept: Mapping[int, Job]

    def run(self, folder: Path) -> None:
        needed = _listed(self.job.get("needs", []))
        needs = {
            name: {"result": self.all.results[name], "outputs": _outputs(self.all.jobs[name])}
            for name in needed
        }
        contexts = {**self.runner.contexts, "needs": needs}
        results = [each["result"] for each in needs.values()]
        language = _language(contexts, failed="failure" in results, skipped="skipped" in results)
        self.all.jobs[self.id] = []
        if not language.condition(self.job.get("if")):
            self.all.results[self.id] = "skipped"
            return
        made = dict(self._of_matrix(contexts, language, folder))
        jobs = [self.kept.get(index, job) for index, (job, _) in made.items()]
        self.all.jobs[self.id] = jobs
        waiting = [each for index, each in made.items() if index not in self.kept]
        with ThreadPoolExecutor(len(waiting)) as side_by_side:
            list(side_by_side.map(lambda each: self._run_steps(*each), waiting))
        failed = any(job.result == "failure" for job in jobs)
        excused = self.job.get("continue-on-error", False)
        self.all.results[self.id] = "failure" if failed and not excused else "success"

    def _of_matrix(
        self, contexts: dict[str, Any], language: Expressions, folder: Path
    ) -> Iterator[tuple[int, tuple[Job, dict[str, Any]]]]:
        strategy = self.job.get("strategy")
        values: list[dict[str, Any]] = [{}]
        if strategy:
            _know(strategy, {"fail-fast", "matrix"})
            assert strategy["fail-fast"] is False  # GitHub lets the other jobs go on
            [(key, listed)] = language.filled(strategy["matrix"]).items()
            values = [{key: value} for value in listed]
        for index, matrix in enumerate(values):
            own = {**contexts, "matrix": matrix, "strategy": {"job-index": index}, "steps": {}}
            name = _language(own).filled(self.job.get("name", self.id))
            place = folder / f"{self.id}-{index}"
            (place / "workspace").mkdir(parents=True)
            yield index, (Job(name, place), own)

    def _run_steps(self, job: Job, contexts: dict[str, Any]) -> None:
        for step in self.job["steps"]:
            _know(step, STEP_KEYS)
            language = _language(contexts, failed=job.result == "failure")
            outputs = Outputs()
            if language.condition(step.get("if")):
                try:
                    outputs.update(self._run_step(job, step, language))
                except (ActionError, _JobError) as error:
                    job.log += f"::error::{step.get('name', step.get('uses'))}: {error}\n"
                    if not step.get("continue-on-error"):
                        job.result = "failure"
            if "id" in step:
                contexts["steps"][step["id"]] = {"outputs": outputs}
        job.outputs.update(_language(contexts).filled(self.job.get("outputs", {})))

    def _run_step(
        self, job: Job, step: Mapping[str, Any], language: Expressions
    ) -> Mapping[str, str]:
        if "run" in step:
            env = language.filled(step.get("env", {}))
            return self._run_script(job, language.filled(step["run"]), env)
        given, artifacts = language.filled(step.get("with", {})), self.all.artifacts
        match step["uses"].partition("@")[0]:
            case "actions/checkout":
                shutil.copytree(self.runner.checkout, job.workspace, dirs_exist_ok=True)
            case "actions/setup-python":
                pass  # Python is there; the matrix of tests.yml chooses its version
            case "actions/upload-artifact":
                return artifacts.upload(job.workspace, given)
            case "actions/download-artifact":
                return artifacts.download(job.workspace, given)
            case "actions/attest":
                job.attested.append(attest(given, self.job.get("permissions", {})))
            case "actions/upload-pages-artifact":
                return artifacts.upload_site(job.workspace, given)
            case "actions/deploy-pages":
                job.deployed.append(deploy(given, self.job, artifacts))
                return {"page_url": "https://owner.github.io/repo/"}
            case unknown:
                raise AssertionError(f"an action that the runner does not know: {unknown}")
        return {}

    def _run_script(self, job: Job, script: str, env: Mapping[str, str]) -> Mapping[str, str]:
        if env or not (lock := _locked(job, script)):
            return self._run_process(job, script, env)
        if lock not in _INSTALLED:
            self._run_process(job, script, env)
            _INSTALLED.add(lock)
        return {}

    def _run_process(self, job: Job, script: str, env: Mapping[str, str]) -> Mapping[str, str]:
        output, summary = job.folder / "output", job.folder / "summary.md"
        output.write_text("", encoding="utf-8")
        summary.touch()
        (job.folder / "step.sh").write_text(script, encoding="utf-8")
        job._process = subprocess.Popen(
            ["bash", "-e", str(job.folder / "step.sh")],
            cwd=job.workspace,
            env={
                "PATH": f"{Path(self.runner.python).parent}{os.pathsep}{os.environ['PATH']}",
                "HOME": str(job.folder),
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_RUN_ID": "4711",
                "GITHUB_RUN_ATTEMPT": str(self.all.attempt),
                "GITHUB_SHA": COMMIT,
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
                **self.runner.environment,
                **env,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        patience = threading.Timer(PATIENCE, job.kill)
        patience.start()
        with job._process as process:
            self.runner.watch(job, f"Run {script}")
            for line in process.stdout or ():
                job.log += line
                self.runner.watch(job, line)
        patience.cancel()
        if process.returncode:
            raise _JobError(f"Process completed with exit code {process.returncode}.")
        lines = output.read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)


def _locked(job: Job, script: str) -> tuple[str, bytes] | None:
    """A step that does nothing but install a lock, and that lock."""
    found = re.fullmatch(r"python -m pip install [^\n;&|]* -r (\S+)\n?", script)
    if found and (job.workspace / found[1]).is_file():
        return script, (job.workspace / found[1]).read_bytes()
    return None


def attest(given: Mapping[str, Any], permissions: Mapping[str, str]) -> dict[str, Any]:
    """Do as ``actions/attest``: the inputs, if they and the rights of the job will do."""
    _know(given, {"subject-name", "subject-digest"})
    if {permissions.get(right) for right in ("id-token", "attestations")} != {"write"}:
        raise ActionError("Failed to get ID token, or to persist the attestation")
    if not re.fullmatch("sha256:[0-9a-f]{64}", given["subject-digest"]):
        raise ActionError("subject-digest must be in the format sha256:<hex-digest>")
    return dict(given)


def deploy(given: Mapping[str, Any], job: Mapping[str, Any], artifacts: ArtifactStore) -> str:
    """Do as ``actions/deploy-pages``: the artifact's name, if it and the job's rights will do."""
    _know(given, {"artifact_name"})
    rights = job.get("permissions", {})
    if {rights.get(right) for right in ("pages", "id-token")} != {"write"}:
        raise ActionError("Ensure GITHUB_TOKEN has permission `pages: write` and `id-token: write`")
    if job.get("environment", {}).get("name") != "github-pages":
        raise ActionError("the environment is not github-pages")
    if given["artifact_name"] not in artifacts.names:
        raise ActionError(f"No artifacts named {given['artifact_name']!r} were found")
    return str(given["artifact_name"])


def _in_order(jobs: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each job after those that it needs."""
    waiting = dict(jobs)
    seen: set[str] = set()
    while waiting:
        ready = [name for name, job in waiting.items() if {*_listed(job.get("needs", []))} <= seen]
        assert ready, f"jobs that wait for each other: {sorted(waiting)}"
        for name in ready:
            yield name, waiting.pop(name)
        seen |= set(ready)


def _language(
    contexts: Mapping[str, Any], *, failed: bool = False, skipped: bool = False
) -> Expressions:
    status = {
        "success": not (failed or skipped),
        "failure": failed,
        "cancelled": False,
        "always": True,
    }
    return Expressions(contexts, status)


def _outputs(jobs: list[Job]) -> Outputs:
    """The outputs of all jobs of a matrix; the last job that sets one wins."""
    return Outputs({name: value for job in jobs for name, value in job.outputs.items()})


def _listed(needs: str | list[str]) -> list[str]:
    return [needs] if isinstance(needs, str) else needs


def _know(mapping: Mapping[Any, Any], known: set[Any]) -> None:
    if unknown := set(mapping) - known:
        raise AssertionError(f"keys that the runner does not know: {unknown}")
