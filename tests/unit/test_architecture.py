"""Arrows between the rooms run one way."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORBIDDEN = {
    "forecast": {"app", "trainer", "benchmarks", "tests", "gradio", "plotly"},
    "trainer": {"app", "benchmarks", "tests", "gradio", "plotly"},
    "app": {"trainer", "benchmarks", "tests"},
}
ROOMS = (*FORBIDDEN, "benchmarks")
MODULES = [(room, path) for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def imported(path):
    """Names of all packages that a module imports anywhere, types included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize(("room", "path"), MODULES, ids=lambda value: str(value).rpartition("/")[2])
def test_no_module_imports_against_the_arrows(room, path):
    assert not FORBIDDEN.get(room, set()) & set(imported(path))


def test_the_chart_is_drawn_without_gradio():
    assert "gradio" not in set(imported(ROOT / "app" / "chart.py"))


@pytest.mark.parametrize(("room", "path"), MODULES, ids=lambda value: str(value).rpartition("/")[2])
def test_nothing_is_asked_of_the_world_at_import(room, path):
    if (room, path.name) == ("benchmarks", "__init__.py"):
        return  # BLAS reads its number of threads before NumPy is loaded, and only then
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Expr)):
            names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            attributes = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
            assert not names & {"open", "print"}
            assert not attributes & {"environ", "getenv", "now", "today", "read_text", "get"}
