"""config.toml: what is read, and what every refusal says."""

from __future__ import annotations

import datetime as dt
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from forecast.config import (
    Config,
    Package,
    counted_names,
    is_normalised,
    is_series_name,
    load_config,
    parse_packages,
)
from forecast.errors import ConfigError

SHIPPED = Path(__file__).parents[3] / "config.toml"

LEAST = """\
packages = ["Flask", "zope.interface"]
username = "somebody"
repo_name = "some-repo"
forecast_days = 30
m_values = [3, 6, 7]
"""


def load(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def test_the_shipped_config_keeps_the_originals_values_and_adds_the_week():
    config = load_config(SHIPPED)
    labels = [package.label for package in config.packages]
    assert labels == ["fastapi", "flask", "requests", "pytorch", "tensorflow"]
    assert config.username == "neelabalan"
    assert config.repo_name == "py-package-download-forecast"
    assert config.forecast_days == 30
    assert config.m_values == (3, 6, 7)
    assert config.mirrors is True
    assert config.source == "pypistats"


def test_names_are_normalised_and_shown_as_typed(tmp_path):
    config = load(tmp_path, LEAST)
    assert config.packages == (
        Package("flask", "Flask"),
        Package("zope-interface", "zope.interface"),
    )


def test_optional_keys_have_defaults(tmp_path):
    config = load(tmp_path, LEAST)
    assert (config.mirrors, config.artifact_name, config.default_branch, config.workflow_file) == (
        True,
        "models",
        "main",
        "upload_artifact.yml",
    )
    assert config.verify_attestation is False
    assert (config.repository_id, config.owner_id) == (None, None)
    assert config.events == ()


def test_attestations_are_verified_where_that_is_asked_for(tmp_path):
    assert load(tmp_path, LEAST + "verify_attestation = true\n").verify_attestation is True


def test_repository_and_owner_can_be_pinned(tmp_path):
    config = load(tmp_path, LEAST + "repository_id = 1001\nowner_id = 11\n")
    assert (config.repository_id, config.owner_id) == (1001, 11)


OUTAGE = "[[events]]\ndate = 2022-01-01\nuntil = {}\nkind = 'outage'\nnote = 'a'\n"


def test_an_outage_has_at_most_a_year(tmp_path):
    assert len(load(tmp_path, LEAST + OUTAGE.format("2023-01-01")).outages) == 366
    with pytest.raises(ConfigError, match="an event has at most 366 days"):
        load(tmp_path, LEAST + OUTAGE.format("2062-01-01"))


def test_a_config_cannot_be_changed(tmp_path):
    config = load(tmp_path, LEAST)
    with pytest.raises(ValueError, match="frozen"):
        config.forecast_days = 7


def test_outages_are_every_day_of_every_outage(tmp_path):
    text = LEAST + (
        "[[events]]\ndate = 2024-06-18\nuntil = 2024-06-20\nkind = 'outage'\nnote = 'a'\n"
        "[[events]]\ndate = 2026-08-24\nkind = 'definition'\nnote = 'b'\n"
    )
    assert load(tmp_path, text).outages == {dt.date(2024, 6, day) for day in (18, 19, 20)}


EVENT = "[[events]]\ndate = 2024-06-18\nkind = 'outage'\nnote = 'a'\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("forecast_days = 30", "forecast_days = 0", "forecast_days = 0: expected a whole number"),
        ("forecast_days = 30", "forecast_days = 91", "forecast_days = 91: expected a whole number"),
        ("forecast_days = 30", "forecast_days = true", "forecast_days = true: expected a whole"),
        ("forecast_days = 30", "forecast_days = 30.0", "forecast_days = 30.0: expected a whole"),
        ("forecast_days = 30", "", "forecast_days: is missing; expected a whole number from 1 to"),
        ("forecast_days", "forecast_day", "forecast_day: unknown key; expected one of packages,"),
        ("[3, 6, 7]", "[3, 6, 32]", "m_values[2] = 32: expected one to eight season lengths"),
        ("[3, 6, 7]", "[0]", "m_values[0] = 0: expected"),
        ("[3, 6, 7]", "[]", "m_values = []: expected one to eight season lengths"),
        ("[3, 6, 7]", "[7, 7]", "m_values = [7, 7]: expected one to eight"),
        ("[3, 6, 7]", "7", "m_values = 7: expected one to eight"),
        ('"Flask"', '""', 'packages[0] = "": expected one or more names'),
        ('"Flask"', '"fla sk"', 'packages[0] = "fla sk": expected one or more names'),
        ('"Flask"', '"-flask"', 'packages[0] = "-flask": expected'),
        ('"Flask"', '"flask\\n"', 'packages[0] = "flask\\n": expected'),
        ('"Flask"', '"../etc"', 'packages[0] = "../etc": expected'),
        ('"Flask"', '"\u017fk"', 'packages[0] = "\u017fk": expected'),
        ('"Flask"', "3", "packages[0] = 3: expected"),
        ('"Flask"', '"zope_interface"', "'zope-interface' appears twice"),
        ('["Flask", "zope.interface"]', "[]", "packages = []: expected one or more names"),
        ('["Flask", "zope.interface"]', '"Flask"', 'packages = "Flask": expected one or more'),
        ('"somebody"', '"some/body"', 'username = "some/body": expected the name of a GitHub user'),
        ('"some-repo"', "3", "repo_name = 3: expected the name of a GitHub repository"),
        ("forecast_days = 30", "forecast_days = ", "is not TOML"),
        ("m_values", 'source = "sample"\nm_values', 'source = "sample": expected "pypistats", or'),
        ("m_values", "mirrors = 1\nm_values", "mirrors = 1: expected true or false"),
        ('"some-repo"', '"."', 'repo_name = ".": expected the name of a GitHub repository (a part'),
        ('"some-repo"', '".."', "'.' or '..'"),
        ("m_values", "artifact_name = '..'\nm_values", 'artifact_name = "..": expected the name'),
        ("m_values", "default_branch = 'a/../b'\nm_values", "is empty, '.' or '..'"),
        ("m_values", "default_branch = '/a'\nm_values", "is empty, '.' or '..'"),
        ("m_values", "owner_id = 0\nm_values", "owner_id = 0: expected the number that GitHub's"),
        ("m_values", "repository_id = '1'\nm_values", 'repository_id = "1": expected the number'),
        (
            "m_values",
            "workflow_file = 'x'\nm_values",
            'workflow_file = "x": expected the file name',
        ),
    ],
)
def test_a_refusal_names_file_key_value_and_what_is_allowed(tmp_path, old, new, expected):
    assert old in LEAST
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, LEAST.replace(old, new, 1))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'config.toml'}: ")
    assert expected in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("'outage'", "'holiday'", 'events[0].kind = "holiday": expected "definition" or "outage"'),
        ("2024-06-18", "'2024-06-18'", 'events[0].date = "2024-06-18": expected a date'),
        ("'a'", "''", 'events[0].note = "": expected a sentence'),
        ("note", "until = 2024-06-01\nnote", "`until` lies before `date`"),
        ("note", "remark", "events[0].remark: unknown key; expected one of date, until"),
    ],
)
def test_events_are_checked_too(tmp_path, old, new, expected):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, LEAST + EVENT.replace(old, new, 1))
    assert expected in str(caught.value)


def keys(**values):
    least = {
        "packages": ["flask"],
        "username": "u",
        "repo_name": "r",
        "forecast_days": 30,
        "m_values": [7],
    }
    return least | values


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("forecast_days", 1, 0),
        ("forecast_days", 90, 91),
        ("m_values", [1], [0]),
        ("m_values", [31], [32]),
        ("m_values", list(range(1, 9)), list(range(1, 10))),
        ("m_values", [7], []),
        ("packages", ["p" * 100], ["p" * 101]),
        ("packages", ["p"], []),
        ("username", "u" * 39, "u" * 40),
        ("repo_name", "r" * 100, "r" * 101),
        ("artifact_name", "a" * 100, "a" * 101),
        ("default_branch", "b" * 200, "b" * 201),
        ("workflow_file", "w" * 100 + ".yml", "w" * 101 + ".yml"),
    ],
)
def test_each_bound_of_a_key_is_where_it_says(key, good, bad):
    Config.model_validate(keys(**{key: good}))
    with pytest.raises(ValueError, match=key):
        Config.model_validate(keys(**{key: bad}))


@pytest.mark.parametrize(("length", "good"), [(1, True), (120, True), (0, False), (121, False)])
def test_a_note_has_1_to_120_characters(length, good):
    event = {"date": dt.date(2026, 1, 1), "kind": "outage", "note": "n" * length}
    with nullcontext() if good else pytest.raises(ValueError, match="note"):
        Config.model_validate(keys(events=[event]))


def test_an_event_may_end_on_its_first_day():
    date = dt.date(2026, 1, 1)
    event = {"date": date, "until": date, "kind": "outage", "note": "n"}
    assert Config.model_validate(keys(events=[event])).outages == {date}


@pytest.mark.parametrize(("length", "ending"), [(38, '"'), (39, "…")])
def test_a_long_value_is_cut_in_a_message(length, ending):
    with pytest.raises(ConfigError) as caught:
        parse_packages(["/" * length])
    value = str(caught.value).removeprefix("package ").partition(": ")[0]
    assert len(value) == 40
    assert value.endswith(ending)


@pytest.mark.parametrize("name", ["Flask", "a_b", "a--b", "a b", "", "-a", None])
def test_only_a_normalised_name_is_normalised(name):
    assert is_normalised("zope-interface")
    assert not is_normalised(name)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_config(tmp_path / "nowhere.toml")


def test_a_file_that_is_not_text(tmp_path):
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_config(tmp_path / "config.toml")


def test_packages_of_the_command_line_are_taken_once():
    assert parse_packages(["Flask", "flask"]) == (Package("flask", "Flask"),)
    with pytest.raises(ConfigError, match='package "a/b": expected a name that PyPI allows'):
        parse_packages(["a/b"])


@given(st.text(max_size=30))
def test_any_text_is_a_normalised_name_or_refused(text):
    try:
        package = Package.parse(text)
    except ValueError as error:
        assert "letters, digits" in str(error)
    else:
        assert package.name == canonicalize_name(text)
        assert set(package.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@given(st.text(max_size=200))
def test_any_text_is_a_config_or_one_line(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert "\n" not in str(caught.value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(st.sampled_from([*Config.model_fields]), VALUES)
def test_any_value_of_any_key_is_taken_or_refused(key, value):
    document = {
        "packages": ["flask"],
        "username": "somebody",
        "repo_name": "some-repo",
        "forecast_days": 30,
        "m_values": [7],
        key: value,
    }
    try:
        config = Config.model_validate(document)
    except ValueError:
        return
    assert 1 <= config.forecast_days <= 90
    assert config.packages


GROUP = "[[groups]]\nname = 'Pallets'\ntitle = 'The projects'\npackages = ['Flask', 'click']\n"


def test_a_group_is_named_with_an_at_sign(tmp_path):
    config = load(tmp_path, LEAST + GROUP)
    (group,) = config.groups
    assert group.package == Package("@pallets", "@pallets", "The projects")
    assert group.packages == (Package("flask", "Flask"), Package("click", "click"))
    assert config.everything == (*config.packages, group.package)
    assert group.package.is_group
    assert group.package.shown == "The projects"
    assert not config.packages[0].is_group
    assert config.packages[0].shown == "Flask"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("name = 'Pallets'\n", "", "groups[0].name: is missing; expected up to 99 letters"),
        ("'Pallets'", "''", 'groups[0].name = "": expected up to 99 letters and digits'),
        ("'Pallets'", "'@pallets'", 'groups[0].name = "@pallets": expected up to 99 letters'),
        ("'Pallets'", "'../x'", 'groups[0].name = "../x": expected up to 99 letters'),
        ("Pallets", "x" * 100, "expected up to 99 letters"),
        ("title = 'The projects'\n", "", "groups[0].title: is missing; expected what the group is"),
        ("'The projects'", "' '", 'groups[0].title = " ": expected what the group is called, in'),
        ("'The projects'", '"a\\nb"', "expected what the group is called, in one line"),
        ("'The projects'", '"\\u202Ea"', "expected what the group is called, in one line"),
        ("The projects", "x" * 81, "expected what the group is called, in one line of 1 to 80"),
        ("'Flask', ", "", 'groups[0].packages = ["click"]: expected 2 to 1,000 names'),
        ("Flask", "Click", "each once ('click' appears twice)"),
        ("Flask", "@pallets", 'groups[0].packages[0] = "@pallets": expected 2 to 1,000 names'),
        ("title =", "label =", "groups[0].label: unknown key; expected one of name, title, pack"),
        (
            "name = 'Pallets'",
            "name = 'a'\ndate = 3",
            "groups[0].date: unknown key; expected one of",
        ),
        (GROUP, GROUP + GROUP.replace("Pallets", "pallets"), "each name once ('@pallets' appears"),
        (GROUP, GROUP * 101, "expected up to 100 [[groups]] tables"),
        (GROUP, "groups = 3", "groups = 3: expected up to 100 [[groups]] tables with name, title"),
        (GROUP, "[groups]\nname = 'a'\n", "expected up to 100 [[groups]] tables with name, title"),
    ],
)
def test_what_is_wrong_in_a_group_is_one_line(tmp_path, old, new, expected):
    assert old in GROUP
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, LEAST + GROUP.replace(old, new))
    message = str(raised.value)
    assert expected in message
    assert message.startswith(str(tmp_path / "config.toml"))
    assert "\n" not in message


def test_a_package_of_the_config_is_no_group(tmp_path):
    with pytest.raises(ConfigError, match=r'packages\[0\] = "@flask": expected one or more names'):
        load(tmp_path, LEAST.replace("Flask", "@flask"))


def test_a_group_can_be_named_on_the_command_line(tmp_path):
    config = load(tmp_path, LEAST + GROUP)
    asked = parse_packages(["@PALLETS", "Flask", "@pallets"])
    assert config.chosen(asked) == (config.groups[0].package, Package("flask", "Flask"))
    assert config.chosen(()) == config.everything
    with pytest.raises(ConfigError) as raised:
        config.chosen(parse_packages(["@Palets"]))
    assert str(raised.value) == 'package "@Palets": is no group of the config; it has @pallets'
    with pytest.raises(ConfigError, match="it has no groups"):
        load(tmp_path, LEAST).chosen(asked)
    with pytest.raises(ConfigError, match='package "@": expected a name that PyPI allows'):
        parse_packages(["@"])


@pytest.mark.parametrize("name", ["flask", "@flask", "@a-b"])
def test_packages_and_groups_have_series(name):
    assert is_series_name(name)


@pytest.mark.parametrize("name", ["", "@", "@@a", "a@", "@A", "@a_b", "@../a", "Flask", 3, None])
def test_nothing_else_has(name):
    assert not is_series_name(name)


def test_the_example_of_the_shipped_config_is_a_group(tmp_path):
    text = SHIPPED.read_text(encoding="utf-8")
    lines = text.splitlines()
    begin = lines.index("# groups = [")
    example = [line.removeprefix("# ") for line in lines[begin : begin + 3]]
    config = load(tmp_path, "\n".join([*lines[:begin], *example, *lines[begin + 3 :]]))
    assert [group.name for group in config.groups] == ["pallets"]
    assert config.model_copy(update={"groups": ()}) == load(tmp_path, text)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_file_saved_on_windows_is_read(tmp_path, encoding, ends):
    path = tmp_path / "config.toml"
    path.write_bytes((LEAST + EVENT.replace("a'", "ä'")).replace("\n", ends).encode(encoding))
    assert load_config(path).events[0].note == "ä"


def test_text_in_another_encoding_is_refused_with_its_line(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes((LEAST + EVENT.replace("a'", "ä'")).encode("latin-1"))
    with pytest.raises(ConfigError, match="line 9: is not text in UTF-8: save the file as UTF-8"):
        load_config(path)


@pytest.mark.parametrize("key", ["forecast_days = 30", "mirrors = false", 'source = "clickhouse"'])
def test_a_key_after_the_events_is_told_where_it_belongs(tmp_path, key):
    name = key.partition(" ")[0]
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, LEAST.replace("forecast_days = 30\n", "") + EVENT + EVENT + f"\n{key}\n")
    assert f"events[1].{name}: stands in a table [[events]]" in str(caught.value)
    assert f"move {name} above the first [[events]]" in str(caught.value)


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_key_can_be_added_at_the_end_of_the_shipped_config(tmp_path, end):
    text = SHIPPED.read_text(encoding="utf-8").rstrip("\n")
    assert load(tmp_path, f"{text}\n{end}mirrors = false\n").mirrors is False
    assert len(load(tmp_path, text).events) == 6


@pytest.mark.parametrize("more", ["forecast_days = 7\n", EVENT])
def test_what_is_given_twice_is_told(tmp_path, more):
    text = LEAST + "events = []\n" + more
    with pytest.raises(ConfigError, match=r"at line \d+.*given twice; keep one"):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], "0 packages"),
        (["a"], "1 package"),
        (["a"] * 5_000, "5,000 packages"),
        (["@a"], "1 group"),
        (["@a", "@b"], "2 groups"),
        (["@a", "a"], "1 package and 1 group"),
        (["@a", "a", "@b", "b"], "2 packages and 2 groups"),
    ],
)
def test_packages_and_groups_are_counted_apart(names, told):
    assert counted_names(names) == told
