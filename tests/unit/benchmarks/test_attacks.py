"""The bench of attacks: its table, and what it may send."""

from __future__ import annotations

import pytest

from benchmarks.attacks import ATTACKS, BOUND, MANY, MOST, Visits, main
from benchmarks.figures import percentile


def test_the_95th_percentile():
    assert percentile([5.0, 1.0, 3.0], 0.95) == 5.0
    assert percentile(range(100), 0.95) == 95


def test_a_row_tells_whether_the_bound_was_met():
    fast = [0.1] * 20
    row = Visits(fast, fast, fast).line("pages")
    assert row == "| pages | 100 | 100 | 100 | 0 of 20 | yes |\n"
    assert Visits(fast, [BOUND + 0.5] * 20, fast).line("x").endswith("| 0 of 20 | NO |\n")
    assert Visits(fast, fast, fast, failures=1).line("x").endswith("| 1 of 20 | NO |\n")
    assert Visits([], [], [], failures=0).line("x").endswith("| NO |\n")  # not a single visit


def test_attacks_are_bounded():
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    assert all(attack.workers <= MANY for attack in ATTACKS)
    assert MOST <= 20_000


def test_an_attack_that_does_not_exist_is_told(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["no-such"])
    assert "there is no attack 'no-such'; there are pending calls," in capsys.readouterr().err
