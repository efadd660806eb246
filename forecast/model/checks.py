"""What the classes of a pickle are checked with: their fields may be anything."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from forecast.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Mapping

# What pickles call the module of our classes, whichever file they stand in. One object, as a
# pickle writes a string out again where it meets an equal one that is another object.
PICKLED_AS = "forecast.model"


class Checked:
    """A frozen dataclass that checks its fields, those from a pickle too."""

    def __post_init__(self) -> None:
        self._check()

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Take every field from a pickle's state, and no other."""
        kind: Any = type(self)
        if not isinstance(state, dict) or set(state) != {item.name for item in fields(kind)}:
            raise BundleError(f"a pickled {kind.__name__} has not the fields it should have")
        self.__dict__.update(state)
        self._check()

    def _check(self) -> None:
        """Raise ``BundleError`` for what no trainer of ours would have written."""
        raise NotImplementedError


def require(holds: bool, message: str) -> None:  # noqa: FBT001 - it is the condition itself
    """Raise ``BundleError`` unless the condition holds."""
    if not holds:
        raise BundleError(f"not a model of this project: {message}")


def is_whole(value: object, low: int, high: int) -> bool:
    """Whether it is an integer from `low` to `high`."""
    return type(value) is int and low <= value <= high


def is_number(value: object, low: float, high: float) -> bool:
    """Whether it is a finite float from `low` to `high`."""
    return type(value) is float and math.isfinite(value) and low <= value <= high


def are_numbers(values: object, low: float, high: float, least: int, most: int) -> bool:
    """Whether it is a tuple of `least` to `most` such floats."""
    return (
        isinstance(values, tuple)
        and least <= len(values) <= most
        and all(is_number(value, low, high) for value in values)
    )
