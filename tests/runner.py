"""Runs the ``run:`` steps of a workflow's job as a hosted runner would: in bash, in order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")


@dataclass
class Runner:
    """A runner with a checkout.

    Args:
        checkout: the working copy; steps run in it.
        scratch: a folder for the runner's own files.
        context: expression to value, such as ``inputs.packages``; any other expression
            that a step uses is an error.
        environment: what the runner sets besides its usual variables.
    """

    checkout: Path
    scratch: Path
    context: Mapping[str, str]
    environment: Mapping[str, str]
    output: str = field(default="", init=False)

    def run_job(self, workflow: str, job: str) -> list[dict[str, Any]]:
        """Run the job's ``run:`` steps; its other steps are returned, expressions put in."""
        path = self.checkout / ".github" / "workflows" / workflow
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        others = []
        for step in document["jobs"][job]["steps"]:
            if "run" in step:
                self._run(step)
            else:
                others.append({**step, "with": self._values(step.get("with", {}))})
        return others

    @property
    def summary(self) -> str:
        """What the steps wrote into the job summary."""
        return (self.scratch / "summary.md").read_text(encoding="utf-8")

    def _run(self, step: Mapping[str, Any]) -> None:
        script = self.scratch / "step.sh"
        script.write_text(self._value(step["run"]), encoding="utf-8")
        done = subprocess.run(
            ["bash", "-e", str(script)],
            cwd=self.checkout,
            env={**self._variables(), **self._values(step.get("env", {}))},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.output += done.stdout + done.stderr
        assert done.returncode == 0, f"{step.get('name')}: {done.stdout}{done.stderr}"

    def _variables(self) -> dict[str, str]:
        files = {}
        for variable, name in (
            ("GITHUB_OUTPUT", "output"),
            ("GITHUB_ENV", "env"),
            ("GITHUB_STEP_SUMMARY", "summary.md"),
        ):
            (self.scratch / name).touch()
            files[variable] = str(self.scratch / name)
        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.scratch),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_RUN_ID": "4711",
            "GITHUB_SHA": "c0ffee" * 6 + "c0ff",
            **files,
            **self.environment,
        }

    def _values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {key: self._value(value) for key, value in values.items()}

    def _value(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return EXPRESSION.sub(lambda found: self.context[found[1]], value)
