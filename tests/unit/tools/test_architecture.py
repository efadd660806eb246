"""Arrows between rooms run one way, and no two files import each other."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAMS = ("forecast", "trainer", "app")
FILES = [path for program in PROGRAMS for path in sorted((ROOT / program).rglob("*.py"))]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in FILES
}
# Each room, and the rooms that its files may import from besides their own.
DOMAIN = {"forecast", "forecast.model", "forecast.bundle", "forecast.record", "forecast.sources"}
ARROWS = {
    "forecast": set(),
    "forecast.model": {"forecast"},
    "forecast.search": {"forecast", "forecast.model"},
    "forecast.bundle": {"forecast", "forecast.model"},
    "forecast.record": {"forecast", "forecast.bundle"},
    "forecast.github": {"forecast", "forecast.bundle"},
    "forecast.sources": {"forecast", "forecast.bundle"},
    "forecast.presentation": {
        *("forecast", "forecast.model", "forecast.search", "forecast.bundle", "forecast.github"),
        "forecast.record",
    },
    "forecast.document": {
        *("forecast", "forecast.model", "forecast.bundle", "forecast.github"),
        *("forecast.presentation", "forecast.record"),
    },
    "forecast.terminal": {
        *("forecast", "forecast.search", "forecast.bundle", "forecast.github"),
        *("forecast.sources", "forecast.presentation", "forecast.record"),
    },
    "trainer": {
        *(*DOMAIN, "forecast.github", "forecast.document"),
        *("trainer.engines", "trainer.reports", "trainer.site"),
    },
    "trainer.site": {
        *("forecast", "forecast.model", "forecast.bundle", "forecast.record"),
        *("forecast.presentation", "forecast.document"),
    },
    "trainer.engines": {*DOMAIN, "forecast.search", "forecast.document"},
    "trainer.reports": {
        *("forecast", "forecast.model", "forecast.bundle", "forecast.record"),
        "forecast.presentation",
    },
    "app": {
        *(*DOMAIN, "forecast.github", "forecast.presentation", "forecast.document"),
        *("app.data", "app.view", "app.web", "app.gradio_internals"),
    },
    "app.data": {*DOMAIN, "forecast.github", "forecast.search", "forecast.presentation"},
    "app.view": {
        *("forecast", "forecast.model", "forecast.bundle", "forecast.github"),
        *("forecast.presentation", "forecast.document", "app.data"),
    },
    "app.web": {
        *("forecast", "forecast.bundle", "forecast.presentation", "forecast.document"),
        *("app.data", "app.gradio_internals", "app.view"),
    },
    "app.gradio_internals": set(),
}
FOREIGN = {"benchmarks", "tests"}  # which no program imports


def imports(path):
    """Names that a file imports, those for types and those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield inner if inner in MODULES else base


def room(module):
    if module == "forecast.__main__":  # the entrance to the terminal, in the domain's folder
        return "forecast.terminal"
    path = MODULES[module]
    return ".".join(path.relative_to(ROOT).parent.parts)


def test_every_room_has_its_arrows():
    assert {room(module) for module in MODULES} == ARROWS.keys()


@pytest.mark.parametrize("module", MODULES)
def test_no_file_imports_against_the_arrows(module):
    mine = room(module)
    for name in imports(MODULES[module]):
        assert name.partition(".")[0] not in FOREIGN, f"{module} -> {name}"
        if name in MODULES and room(name) != mine:
            assert room(name) in ARROWS[mine], f"{module} -> {name}"


def test_the_arrows_between_rooms_form_no_circle():
    TopologicalSorter(ARROWS).prepare()


def test_no_files_import_each_other_in_a_circle():
    graph = {
        module: {name for name in imports(path) if name in MODULES} - {module}
        for module, path in MODULES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = " <- ".join(error.args[1])
        pytest.fail(f"these files import each other: {circle}")


def test_gradio_and_plotly_are_the_page_s_alone():
    for module, path in MODULES.items():
        used = {name.partition(".")[0] for name in imports(path)} & {"gradio", "plotly"}
        if not module.startswith("app."):
            assert not used, f"{module} -> {used}"
    assert "gradio" not in set(imports(MODULES["app.view.chart"]))


def test_no_room_has_more_than_a_dozen_files():
    folders = {path.parent for path in ROOT.rglob("*.py") if ".venv" not in str(path)}
    for folder in folders:
        beside = [path.name for path in folder.iterdir() if path.is_file()]
        assert len(beside) <= 12, f"{folder.relative_to(ROOT)}: {sorted(beside)}"


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_asked_of_the_world_at_import(module):
    for node in ast.parse(MODULES[module].read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Expr)):
            names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            attributes = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
            assert not names & {"open", "print"}
            assert not attributes & {"environ", "getenv", "now", "today", "read_text", "get"}
