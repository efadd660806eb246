"""Measured numbers and their targets, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HEAD = "| what | measured | target | met |\n| --- | --- | --- | --- |\n"


@dataclass(frozen=True)
class Figure:
    """One measured number and its target.

    Attributes:
        name: what was measured.
        value: the number.
        unit: of both.
        target: the limit; None if the number is only reported.
        at_least: whether more is better, so that the target is a minimum.
    """

    name: str
    value: float
    unit: str
    target: float | None
    at_least: bool = False

    def line(self) -> str:
        """A row of the table."""
        measured = f"| {self.name} | {self.value:,.2f} {self.unit} "
        if self.target is None:
            return f"{measured}| | |"
        met = self.value >= self.target if self.at_least else self.value <= self.target
        bound = "at least " if self.at_least else ""
        return f"{measured}| {bound}{self.target:,g} {self.unit} | {'yes' if met else 'NO'} |"


def table(figures: Iterable[Figure]) -> str:
    """All figures as a Markdown table."""
    return HEAD + "".join(f"{figure.line()}\n" for figure in figures)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values stays below."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]
