"""What a person sees of a run, on a terminal, in a log and on GitHub."""

from __future__ import annotations

import logging

import pytest

from trainer.reports.console import Console

TEXT = Console(on_actions=False, on_terminal=False, summary=None)
ACTIONS = Console(on_actions=True, on_terminal=False, summary=None)


@pytest.fixture
def lines(caplog):
    """What is logged."""
    caplog.set_level(logging.INFO, "trainer")
    return lambda: [record.getMessage() for record in caplog.records]


def shown(lines, number):
    done = TEXT.progress("training", range(number), number, str, "models")
    assert list(done) == list(range(number))
    return lines()


def test_each_of_few_has_a_line(lines):
    assert shown(lines, 199) == [str(number) for number in range(199)]


def test_of_many_each_percent_has_a_line(lines):
    logged = shown(lines, 200)
    assert len(logged) == 100
    assert logged[0] == "training 2 of 200: 1"
    assert logged[-1] == "training 200 of 200: 199"


def test_nothing_to_do_shows_nothing(lines):
    assert shown(lines, 0) == []


@pytest.mark.parametrize("unit", ["packages", "models"])
def test_a_bar_names_what_is_counted(capsys, unit):
    terminal = Console(on_actions=False, on_terminal=True, summary=None)
    assert list(terminal.progress("at work", range(3), 3, str, unit)) == [0, 1, 2]
    assert f" {unit}/s]" in capsys.readouterr().err


def test_a_message_is_one_line_in_the_log(caplog):
    TEXT.warn("two\nlines")
    TEXT.error("wrong")
    levels = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert levels == [("WARNING", "two lines"), ("ERROR", "wrong")]


def test_a_message_is_a_workflow_command_on_github(capsys):
    ACTIONS.warn("50 %")
    ACTIONS.error("wrong")
    assert capsys.readouterr().out == "::warning::50 %25\n::error::wrong\n"


def test_the_job_summary_is_written_on_github_alone(tmp_path):
    path = str(tmp_path / "summary.md")
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": path}
    assert str(Console.of(variables).summary) == path
    assert Console.of(variables | {"GITHUB_ACTIONS": ""}).summary is None


def test_a_warning_may_stand_in_the_summary_too(tmp_path, capsys):
    console = Console(on_actions=True, on_terminal=False, summary=tmp_path / "summary.md")
    console.warn("no summary")
    console.warn("both\n|of <b>", in_summary=True)
    assert capsys.readouterr().out == "::warning::no summary\n::warning::both |of <b>\n"
    assert (tmp_path / "summary.md").read_text("utf-8") == ("> **Warning:** both \\|of \\<b\\>\n\n")
