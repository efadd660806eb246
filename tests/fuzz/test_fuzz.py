"""The bounded run: some hundred inputs per target, the same ones every time."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.inputs import changed
from tests.fuzz.targets import TARGETS, try_one

BYTES_CHANGED = 600  # inputs


@pytest.mark.parametrize("name", TARGETS)
def test_a_door_lets_in_what_is_sound_and_refuses_the_rest(name):
    target = TARGETS[name]
    counts = {True: 0, False: 0}

    @settings(max_examples=target.tried, suppress_health_check=list(HealthCheck))
    @given(target.inputs)
    def attempt(value):
        counts[try_one(target, value)] += 1

    attempt()
    chance = random.Random(1)
    for _ in range(BYTES_CHANGED if target.seeds else 0):
        data = changed(chance, chance.choice(target.seeds))
        counts[try_one(target, data)] += 1
    # A target that never both accepts and refuses proves nothing.
    assert counts[True] >= 5
    assert counts[False] >= 20 or not target.refuses
