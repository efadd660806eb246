"""The method of this project before its engine was built anew, from a checkout of it.

    git worktree add DIR fbd1c83

The forecasts are made in processes that run in that checkout, with this interpreter.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.accuracy.methods import ENDS, ROWS, naive
from benchmarks.accuracy.run import Made, Mask, gather
from benchmarks.accuracy.windows import HORIZON, Window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forecast.quantities import Array

# Reads windows and writes answers, as JSON; a window that cannot be forecast is answered null.
PROGRAM = """
import datetime as dt, json, sys, time
import numpy as np
from forecast.arima.search import train

def answer(start, values):
    begun = time.process_time()
    model = train(np.array(values), start, horizon=days, m_values=(3, 6, 7)).model
    made, total = model.predict_with_total(days)
    columns = [[*getattr(made, row).tolist(), getattr(total, row)] for row in rows]
    return columns, time.process_time() - begun

given = json.load(sys.stdin)
days, rows = given["days"], given["rows"]
answers = []
for number, window in enumerate([given["windows"][0], *given["windows"]]):
    start = dt.date.fromisoformat(window["start"])
    try:
        answers.append(answer(start, window["values"]))
    except Exception:
        answers.append(None)
json.dump(answers[1:], sys.stdout)  # the first one has paid for what is loaded late
"""


def run_before(
    checkout: Path, windows: Sequence[Window], where: Mask, jobs: int, program: str = PROGRAM
) -> Made:
    """Forecast the marked windows with the code in `checkout`.

    Raises:
        RuntimeError: the code there could not be run.
    """
    chosen = [window for window, wanted in zip(windows, where, strict=True) if wanted]
    parts = [part for each in range(jobs) if (part := chosen[each::jobs])]
    with ThreadPoolExecutor(jobs) as pool:
        answered = list(pool.map(lambda part: _ask(checkout, part, program), parts))
    rows: list[tuple[Array, float, bool]] = [(np.empty(0), 0.0, True)] * len(chosen)
    for each, (part, answers) in enumerate(zip(parts, answered, strict=True)):
        rows[each::jobs] = [_row(*pair) for pair in zip(part, answers, strict=True)]
    return gather(rows, where)


def _ask(checkout: Path, windows: Sequence[Window], program: str) -> list[Any]:
    given = {
        "days": HORIZON,
        "rows": ["mean", *ENDS],
        "windows": [
            {"start": window.start.isoformat(), "values": window.values.tolist()}
            for window in windows
        ],
    }
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(  # noqa: S603 - this interpreter, and the program above
        [sys.executable, "-c", program],
        cwd=checkout,
        env=environment,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(
            f"--before {checkout}: expected a checkout of commit fbd1c83; running it gave\n"
            f"{done.stderr}"
        )
    answers: list[Any] = json.loads(done.stdout)
    return answers


def _row(window: Window, answer: Any) -> tuple[Array, float, bool]:
    """One answer in the shape of a `Method`; what it called mean was a median."""
    if answer is None:
        return naive(window), 0.0, True
    columns, seconds = answer
    made = np.array([columns[0], *columns])
    if made.shape != (len(ROWS), HORIZON + 1) or not np.isfinite(made).all():
        return naive(window), seconds, True
    return made, seconds, False
