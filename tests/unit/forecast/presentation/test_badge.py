"""A badge for shields.io has the keys that it takes, and no other."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from forecast.bands import Total
from forecast.presentation.badge import shields_badge

# Of shields.io's endpoint badge: what each of our keys must be.
SCHEMA = {
    "schemaVersion": lambda value: value == 1,
    "label": lambda value: isinstance(value, str),
    "message": lambda value: isinstance(value, str) and value,
    "color": lambda value: re.fullmatch("#[0-9a-f]{6}", value),
    "cacheSeconds": lambda value: isinstance(value, int) and value >= 0,
}


@pytest.mark.parametrize(
    ("mean", "stopped", "label", "message"),
    [
        (0.0, None, "next 30 days", "0 downloads"),
        (0.4, None, "next 30 days", "0 downloads"),
        (987.0, None, "next 30 days", "987 downloads"),
        (34_400_000.0, None, "next 30 days", "34M downloads"),
        (9e13, None, "next 30 days", "90T downloads"),
        (12.0, dt.date(2026, 9, 20), "downloads", "no counts since 2026-09-20"),
    ],
)
def test_a_badge(mean, stopped, label, message):
    made = dict(shields_badge(Total(mean, mean, mean, mean, mean), 30, stopped))
    assert made.keys() == SCHEMA.keys()
    assert all(allowed(made[key]) for key, allowed in SCHEMA.items())
    assert (made["label"], made["message"]) == (label, message)
