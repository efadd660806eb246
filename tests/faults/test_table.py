"""The README matches the table, and the table has each row once."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.faults.readme import PATH, render
from tests.faults.table import ATTESTED, BULK, CLOCKS, COMPARED, MODELS, NEWER_DAYS, TRAINING


def test_the_readme_is_the_table():
    assert PATH.read_text(encoding="utf-8") == render(), "run python -m tests.faults"


@pytest.mark.parametrize("rows", [MODELS, COMPARED, ATTESTED, NEWER_DAYS, CLOCKS, TRAINING, BULK])
def test_no_row_is_there_twice(rows):
    assert [fault for fault, times in Counter(map(str, rows)).items() if times > 1] == []
