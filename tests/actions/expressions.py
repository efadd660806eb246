"""The expressions that our workflows use; any other one is an error.

Truth values, comparison of text without regard to case, and ``if`` as ``success() && …``
unless it names a status function follow GitHub's documentation ("Evaluate expressions in
workflows and actions").
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

EMBEDDED = re.compile(r"\$\{\{(.+?)\}\}", re.DOTALL)
PATH = r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*"
COMPARED = re.compile(rf"({PATH}) (==|!=) '([^']*)'")
CALLED = re.compile(rf"(!?)(\w+)\(({PATH})?\)")


class ExpressionError(Exception):
    """An expression that is not supported, or that uses an unknown name."""


class Outputs(dict[str, str]):
    """The outputs of a step or a job; an output that is not set is empty, as on GitHub."""

    def __missing__(self, name: str) -> str:
        return ""


class Expressions:
    """Evaluates terms joined by ``&&``: paths, calls of a function, comparisons with a text.

    Args:
        contexts: name to the values in it.
        status: the status functions by name.
    """

    def __init__(self, contexts: Mapping[str, Any], status: Mapping[str, bool]) -> None:
        self._contexts = contexts
        self._status = status

    def condition(self, text: str | None) -> bool:
        """Whether ``if: text`` holds; without one it is ``success()``."""
        expression = (text or "success()").strip()
        if whole := EMBEDDED.fullmatch(expression):
            expression = whole[1]
        holds = bool(self.value(expression))
        called = {found[2] for found in CALLED.finditer(expression)}
        return holds and (self._status["success"] or bool(called & self._status.keys()))

    def filled(self, value: Any) -> Any:
        """A text, or all texts of a mapping, with their expressions replaced by values."""
        if isinstance(value, dict):
            return {key: self.filled(each) for key, each in value.items()}
        if not isinstance(value, str):
            return value
        if (whole := EMBEDDED.fullmatch(value)) and "${{" not in whole[1]:
            return self.value(whole[1])
        return EMBEDDED.sub(lambda found: str(self.value(found[1])), value)

    def value(self, text: str) -> Any:
        """The value of an expression.

        Raises:
            ExpressionError: if it is not supported.
        """
        values = [self._term(term.strip()) for term in text.split("&&")]
        return next((value for value in values if not value), values[-1])

    def _term(self, term: str) -> Any:
        if compared := COMPARED.fullmatch(term):
            value = self._looked_up(compared[1])
            if not isinstance(value, str):
                raise ExpressionError(f"{term!r}: only texts are compared")
            return (value.casefold() == compared[3].casefold()) is (compared[2] == "==")
        if called := CALLED.fullmatch(term):
            value = self._called(called[2], called[3])
            return not value if called[1] else value
        return self._looked_up(term)

    def _called(self, name: str, argument: str | None) -> Any:
        if name == "fromJSON" and argument:
            return json.loads(self._looked_up(argument))
        if name in self._status and not argument:
            return self._status[name]
        raise ExpressionError(f"unknown function {name!r}")

    def _looked_up(self, path: str) -> Any:
        if not re.fullmatch(PATH, path):
            raise ExpressionError(f"unknown expression {path!r}")
        value: Any = self._contexts
        for name in path.split("."):
            if not isinstance(value, Outputs) and name not in value:
                raise ExpressionError(f"{path!r} is not there")
            value = value[name]
        return value
