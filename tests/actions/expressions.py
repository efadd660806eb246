"""The expressions of a workflow, as far as ours use them; any other one is an error.

What counts as false, that text is compared without regard to case, and that ``if`` means
``success() && …`` unless it names a status function, is as GitHub documents it ("Evaluate
expressions in workflows and actions").
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EMBEDDED = re.compile(r"\$\{\{(.+?)\}\}", re.DOTALL)
TOKEN = re.compile(r"\s*(&&|\|\||==|!=|[!().]|'(?:[^']|'')*'|[A-Za-z_][\w-]*)")
STATUS = re.compile(r"\b(success|failure|cancelled|always)\(")


class ExpressionError(Exception):
    """An expression that this evaluator does not know, or that names what is not there."""


class Outputs(dict[str, str]):
    """Of a step or a job; one that was not set is empty, as on GitHub."""

    def __missing__(self, name: str) -> str:
        return ""


class Expressions:
    """Evaluates expressions.

    Args:
        contexts: name to what may be looked up in it.
        status: the status functions by name.
    """

    def __init__(self, contexts: Mapping[str, Any], status: Mapping[str, bool]) -> None:
        self._contexts = contexts
        self._functions: dict[str, Callable[..., Any]] = {
            "fromJSON": json.loads,
            **{name: lambda value=value: value for name, value in status.items()},
        }

    def condition(self, text: str | None) -> bool:
        """Whether ``if: text`` holds; without one it is ``success()``."""
        expression = (text or "success()").strip()
        if whole := EMBEDDED.fullmatch(expression):
            expression = whole[1]
        if not STATUS.search(expression):
            expression = f"success() && ({expression})"
        return bool(self.value(expression))

    def filled(self, value: Any) -> Any:
        """A text, or all texts of a mapping, with the values of their expressions put in."""
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
            ExpressionError: it is none of those that are known.
        """
        tokens, end = [], 0
        while rest := text[end:].strip():
            if not (found := TOKEN.match(text, end)):
                raise ExpressionError(f"{text!r}: unknown from {rest!r} on")
            tokens.append(found[1])
            end = found.end()
        tokens.reverse()  # the next one is the last
        value = self._either(tokens)
        if tokens:
            raise ExpressionError(f"{text!r}: unknown from {tokens[-1]!r} on")
        return value

    def _either(self, tokens: list[str]) -> Any:
        value = self._both(tokens)
        while tokens and tokens[-1] == "||":
            tokens.pop()
            other = self._both(tokens)
            value = value if bool(value) else other
        return value

    def _both(self, tokens: list[str]) -> Any:
        value = self._compared(tokens)
        while tokens and tokens[-1] == "&&":
            tokens.pop()
            other = self._compared(tokens)
            value = other if bool(value) else value
        return value

    def _compared(self, tokens: list[str]) -> Any:
        value = self._single(tokens)
        if tokens and tokens[-1] in {"==", "!="}:
            operator, other = tokens.pop(), self._single(tokens)
            if not (isinstance(value, str) and isinstance(other, str)):
                raise ExpressionError(f"{value!r} {operator} {other!r}: only texts are compared")
            return (value.casefold() == other.casefold()) is (operator == "==")
        return value

    def _single(self, tokens: list[str]) -> Any:
        token = tokens.pop() if tokens else ""
        if token == "!":
            return not bool(self._single(tokens))
        if token == "(":
            value = self._either(tokens)
            _expect(")", tokens)
            return value
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token in {"true", "false"}:
            return token == "true"
        if tokens and tokens[-1] == "(":
            return self._called(token, tokens)
        return self._looked_up(token, tokens)

    def _called(self, name: str, tokens: list[str]) -> Any:
        if name not in self._functions:
            raise ExpressionError(f"unknown function {name!r}")
        tokens.pop()
        arguments = [] if tokens and tokens[-1] == ")" else [self._either(tokens)]
        _expect(")", tokens)
        return self._functions[name](*arguments)

    def _looked_up(self, name: str, tokens: list[str]) -> Any:
        value, path = self._contexts, name
        while True:
            if not isinstance(value, Outputs) and name not in value:
                raise ExpressionError(f"{path!r} is not there")
            value = value[name]
            if not (tokens and tokens[-1] == "."):
                return value
            tokens.pop()
            name = tokens.pop()
            path += f".{name}"


def _expect(token: str, tokens: list[str]) -> None:
    if not tokens or tokens.pop() != token:
        raise ExpressionError(f"expected {token!r}")
