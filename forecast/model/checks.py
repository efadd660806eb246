"""What the classes of a pickle are checked with: their fields may be anything."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from forecast.errors import BundleError

if TYPE_CHECKING:
    from typing import Self

# What pickles call the module of our classes, whichever file they stand in. One object, as a
# pickle writes a string out again where it meets an equal one that is another object.
PICKLED_AS = "forecast.model"


class Checked:
    """A frozen dataclass that checks its fields when it is made."""

    def __post_init__(self) -> None:
        self._check()

    @classmethod
    def from_fields(cls, values: object) -> Self:
        """Make one of its fields, by name.

        Raises:
            BundleError: if one is missing, is not a field, or has a value that is refused.
        """
        kind: Any = cls
        names = {item.name for item in fields(kind)}
        if not isinstance(values, dict) or values.keys() != names:
            raise BundleError(f"a pickled {cls.__name__} has not the fields it should have")
        return cls(**values)

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
    if not (isinstance(values, tuple) and least <= len(values) <= most):
        return False
    # Without a call for each value; a sum tells whether any of them is not a number.
    return not values or (
        set(map(type, values)) == {float}
        and math.isfinite(sum(values))
        and low <= min(values)
        and max(values) <= high
    )
