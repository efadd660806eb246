"""What a class of a pickle is checked with: its fields may be anything."""

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


def restore(thing: object, state: Mapping[str, Any]) -> None:
    """Set a frozen dataclass from a pickle's state: every field, and no other."""
    kind: Any = type(thing)
    if set(state) != {item.name for item in fields(kind)}:
        raise BundleError(f"a pickled {kind.__name__} has not the fields it should have")
    thing.__dict__.update(state)


def are(values: object, kind: type[float], size: int) -> bool:
    """Whether `values` is a tuple of so many finite numbers of exactly this type."""
    return (
        isinstance(values, tuple)
        and len(values) == size
        and all(type(value) is kind and math.isfinite(value) for value in values)
    )


def require(holds: bool, message: str) -> None:  # noqa: FBT001 - it is the condition itself
    """Raise ``BundleError`` unless the condition holds."""
    if not holds:
        raise BundleError(f"not a model of this project: {message}")
