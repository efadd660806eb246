"""Inputs of the targets: valid ones with changes, and arbitrary ones."""

from __future__ import annotations

import copy
import datetime as dt
import io
import json
import pickle
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

from cramjam import snappy
from hypothesis import strategies as st

from forecast.github.artifact import Artifact
from tests.bundles import CREATED_AT, consistent, files_of, make_bundle
from tests.standins.sigstore import Build, Sigstore

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from forecast.model.arima import Arima
    from forecast.model.model import Model

BUNDLE = make_bundle(("flask", "requests"), failed={"gone": "no such package"})
FILES = files_of(BUNDLE)
WHOLE_ZIP = io.BytesIO()
with zipfile.ZipFile(WHOLE_ZIP, "w", zipfile.ZIP_DEFLATED) as _archive:
    for _name, _data in FILES.items():
        _archive.writestr(_name, _data)
ZIPPED = WHOLE_ZIP.getvalue()
MANIFEST = json.loads(FILES["manifest.json"])
MODEL = BUNDLE.model("flask")
PICKLE = FILES["flask.pkl"]
PICTURE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><title>flask</title>'
    b'<style>.a { fill: #fff }</style><g><rect class="a" width="9" height="9"/>'
    b'<polyline points="0,1 2,3"/><text x="1" y="2">flask</text></g></svg>'
)
ODD_NUMBERS = [0, 1, -1, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308, float("nan"), float("inf")]
ODD_TEXT = [
    *("", "nan", "inf", "-1", "1e999", "0x1", "../x", "\0", "\ud800", "é", "a\nb"),
    *("2026-02-30", "2026-11-20", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59Z"),
]

ODD_DAYS = [dt.date.min, dt.date.max, dt.date(1677, 1, 1), dt.date(2262, 4, 12)]

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(ODD_NUMBERS)
    | st.sampled_from(ODD_TEXT),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@st.composite
def edited_bytes(draw: st.DrawFn, true: bytes, most: int = 4) -> bytes:
    """A few ranges of bytes flipped, removed, inserted or repeated."""
    data = bytearray(true)
    for _ in range(draw(st.integers(1, most))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 8))
        kind = draw(st.sampled_from(["put", "take", "flip", "repeat", "cut"]))
        if kind == "put":
            data[at:at] = draw(st.binary(max_size=8))
        elif kind == "take":
            del data[at : at + length]
        elif kind == "flip" and data:
            data[at % len(data)] ^= draw(st.integers(1, 255))
        elif kind == "repeat":
            data[at:at] = data[at : at + length]
        elif kind == "cut" and draw(st.integers(0, 9)) == 0:
            del data[at:]
    return bytes(data)


@st.composite
def edited_json(draw: st.DrawFn, true: Any, most: int = 3) -> Any:
    """Some values at any place removed, replaced or added."""
    whole = copy.deepcopy(true)
    for _ in range(draw(st.integers(1, most))):
        part = whole
        for _ in range(draw(st.integers(0, 4))):
            inner = _inner(part)
            if not inner:
                break
            part = draw(st.sampled_from(inner))
        _edit(draw, part)
    return whole


def _inner(part: Any) -> list[Any]:
    values = part.values() if isinstance(part, dict) else part
    return [value for value in values if isinstance(value, dict | list) and value]


def _edit(draw: st.DrawFn, part: Any) -> None:
    if not part:
        return
    at = draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
    kind = draw(st.sampled_from(["like", "like", "any", "add", "out", "rename"]))
    if kind == "like":
        part[at] = draw(_like(part[at]))
    elif kind == "any":
        part[at] = draw(ANYTHING)
    elif kind == "out":
        del part[at]
    elif isinstance(part, dict):
        value = part.pop(at) if kind == "rename" else draw(ANYTHING)
        part[draw(st.sampled_from(ODD_TEXT) | st.text(max_size=5))] = value
    else:
        part.insert(at, copy.deepcopy(part[at]))


def _like(value: Any) -> st.SearchStrategy[Any]:
    """A value of the same type at the limits of its range."""
    if isinstance(value, str):
        return st.sampled_from([*ODD_TEXT, value[:-1], f"{value}\n", value.upper()])
    if isinstance(value, int | float):
        return st.sampled_from(ODD_NUMBERS)
    return ANYTHING


WORDS = [
    *(b"", b"\0", b"\xff\xff\xff\xff", b"-", b"0", b"9" * 20, b".", b"e9", b"nan", b"inf", b'"'),
    *(b",", b"\n", b"null", b"true", b"[]", b"{}", b"PK\x01\x02", b"\x93", b"R", b"\x81", b"b"),
]


def changed(chance: random.Random, true: bytes) -> bytes:
    """One to six ranges flipped, removed, overwritten, moved or repeated."""
    data = bytearray(true)
    for _ in range(chance.randint(1, 6)):
        at, length = chance.randrange(len(data) + 1), chance.randint(1, 12)
        piece = data[at : at + length]
        kind = chance.randrange(5)
        if kind == 0 and piece:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del data[at : at + length]
        elif kind == 2:
            data[at : at + length] = chance.choice(WORDS)
        elif kind == 3:
            data[at:at] = piece
        else:
            place = chance.randrange(len(data) + 1)
            data[place:place] = piece
    return bytes(data)


def dumped(value: Any) -> bytes:
    """JSON, lone surrogates and infinities included."""
    return json.dumps(value).encode("utf-8", "surrogatepass")


def or_edited(true: Any) -> st.SearchStrategy[bytes]:
    """A value as JSON, or with changes."""
    return st.one_of(
        st.just(dumped(true)), edited_json(true).map(dumped), edited_bytes(dumped(true))
    )


# PyPI Stats' answer

_DAYS = [dt.date(2026, 5, 1) + dt.timedelta(days=ahead) for ahead in range(20)]
ANSWER = {
    "data": [
        {"category": "with_mirrors", "date": str(day), "downloads": 1000 + n}
        for n, day in enumerate(_DAYS)
    ],
    "package": "flask",
    "type": "overall_downloads",
}
ANSWERS = st.one_of(
    st.binary(max_size=100),
    ANYTHING.map(dumped),
    edited_json(ANSWER).map(dumped),
    edited_bytes(dumped(ANSWER)),
)

# GitHub's list, and the run of an artifact

_HEAD = {"id": 9001, "head_branch": "main", "head_sha": "0" * 40}
LISTED = {
    "total_count": 2,
    "artifacts": [
        {
            "id": number,
            "name": "models",
            "size_in_bytes": 3,
            "expired": False,
            "digest": f"sha256:{number:064x}",
            "created_at": f"2026-11-{number:02}T03:17:00Z",
            "expires_at": f"2026-12-{number:02}T03:17:00Z",
            "workflow_run": {**_HEAD, "repository_id": 1, "head_repository_id": 1},
        }
        for number in (8, 15)
    ],
}
RUN = {
    **_HEAD,
    "status": "completed",
    "conclusion": "success",
    "event": "schedule",
    "path": ".github/workflows/upload_artifact.yml",
    "repository": {"id": 1, "owner": {"id": 2}},
    "head_repository": {"id": 1},
}
TIP = "1" * 40
REFERENCE = {"ref": "refs/heads/main", "object": {"type": "commit", "sha": TIP}}
COMPARISON = {"status": "behind", "ahead_by": 0, "merge_base_commit": {"sha": "0" * 40}}
LINKS = st.sampled_from(["", '<?page=2>; rel="next"', "<", '<http://[>; rel="next"', ",;=<>"])
ARTIFACT_LISTS = st.tuples(
    st.one_of(
        edited_json(LISTED).map(dumped), edited_bytes(dumped(LISTED)), st.just(dumped(LISTED))
    ),
    or_edited(RUN),
    or_edited(REFERENCE),
    or_edited(COMPARISON),
    LINKS,
)

# ClickHouse's answer, and text on its way out

BULK = b"flask\t[20777,20778]\t[5,7]\t14\t35\t2\nrequests\t[20777]\t[20]\t21\t35\t2\n"
ODD_OUTPUT = (
    b"::error::a##[add-mask][]\r\n::stop-commands::x",
    b"at https://user:pa55word@[::1]:80/api?key=pa55word&x=1#pa55word, or user:pa55word@host",
)
TEXTS = st.one_of(st.text().map(str.encode), st.binary(), *map(edited_bytes, ODD_OUTPUT))


@st.composite
def cut_answers(draw: st.DrawFn) -> bytes:
    """ClickHouse's answer, cut anywhere inside, as a limit of the server's would do."""
    lines = BULK.splitlines(keepends=True)
    at = draw(st.integers(0, len(lines) - 1))
    name, days, counts, *proof = lines[at].split(b"\t")
    how = draw(st.sampled_from(["row", "days", "count", "weight", "all", "twice"]))
    if how == "row":
        del lines[at]
    elif how == "twice":
        lines.insert(at, lines[at])
    elif how == "all":  # one that adds up by itself
        lines[at] = b"\t".join([name, b"[]", b"[]", b"0", *proof[1:]])
    else:
        digit = b"%d" % draw(st.integers(0, 99))
        if how == "days":
            days, counts = b"[20777]", b"[5]"
        elif how == "count":
            counts = counts.replace(b"5", digit).replace(b"20]", digit + b"]")
        else:
            proof[0] = digit
        lines[at] = b"\t".join([name, days, counts, *proof])
    return b"".join(lines)


SUMMARY = {"read_rows": "9", "total_rows_to_read": "9"}
SUMMARIES = st.one_of(
    st.just(SUMMARY),
    edited_json(SUMMARY),
    st.builds(
        lambda read: {**SUMMARY, "read_rows": str(read), "elapsed_ns": "1"}, st.integers(0, 12)
    ),
)
BULK_ANSWERS = st.tuples(
    st.one_of(edited_bytes(BULK), cut_answers(), st.just(BULK)),
    st.one_of(st.just(json.dumps(SUMMARY)), SUMMARIES.map(json.dumps), st.text(max_size=20)),
)

# Files of counts

COUNTED = b"date,downloads\n" + b"".join(
    b"2026-11-%02d,%d\n" % (day, 1000 + 7 * (day % 5)) for day in range(1, 22)
)
ODD_CELLS = [
    *("", "-1", "1.0", "1.5", "1e3", "1e99", "1,000", "1 000", "1.000", "nan", "0x1", "'5", '"5"'),
    *("2026-11-22", "2026-11-23", "2099-01-01", "2026-02-30", "22.11.2026", "20261101", "45000"),
    *("2026-11-01T00:00:00Z", "2026-11-01 00:00:00+14:00", "2026-11-01T99", "0001-01-01"),
]


@st.composite
def edited_csv(draw: st.DrawFn) -> bytes:
    """A file of counts as people make them: other cells, columns, delimiters and encodings."""
    rows = [line.split(",") for line in COUNTED.decode().splitlines()]
    for _ in range(draw(st.integers(0, 2))):
        row = rows[draw(st.integers(0, len(rows) - 1))]
        kind = draw(st.sampled_from(["cell", "cell", "again", "out", "more", "less"]))
        if kind == "cell" and row:
            row[draw(st.integers(0, len(row) - 1))] = draw(
                st.sampled_from(ODD_CELLS) | st.text(max_size=5)
            )
        elif kind == "again":
            rows.append(list(row))
        elif kind == "out":
            rows.remove(row)
        elif kind == "more":
            row.append(draw(st.sampled_from(ODD_CELLS)))
        elif kind == "less" and row:
            row.pop()
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = end.join(draw(st.sampled_from([",", ";", "\t", "|"])).join(row) for row in rows)
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"]))
    return text.encode(encoding, "surrogatepass")


CSV_FILES = st.one_of(edited_csv(), edited_bytes(COUNTED), st.binary(max_size=60))

# Tables

PAST = b"""package,date,made_on,horizon,mean,median,lower_80,upper_80,lower_95,upper_95
flask,2026-11-22,2026-11-15,8,10.0,10.0,9.0,11.0,8.0,12.0
flask,2026-11-23,2026-11-15,9,10.0,10.0,9.0,11.0,8.0,12.0
"""
TRACK = b"""package,date,made_on,horizon,downloads,forecast,error,naive_error,inside_80,inside_95
flask,2026-11-16,2026-11-15,2,12,10.0,2.0,1,0,1
flask,2026-11-17,2026-11-15,3,12,10.0,2.0,1,0,1
"""
PAST_TOTALS = b"""package,start,days,made_on,mean,lower_80,upper_80,lower_95,upper_95
flask,2026-11-15,7,2026-11-15,70.0,60.0,80.0,50.0,90.0
flask,2026-11-15,14,2026-11-15,140.0,120.0,160.0,100.0,180.0
"""
TOTAL_TRACK = b"""\
package,start,days,made_on,mean,lower_80,upper_80,lower_95,upper_95,downloads,before
flask,2026-11-08,7,2026-11-08,70.0,60.0,80.0,50.0,90.0,95.0,71.5
flask,2026-11-08,14,2026-11-08,140.0,120.0,160.0,100.0,180.0,150.0,143.0
"""
RECORD = {
    "past_forecasts.csv": PAST,
    "track_record.csv": TRACK,
    "past_totals.csv": PAST_TOTALS,
    "total_record.csv": TOTAL_TRACK,
}
TABLES = {
    **{
        name: b"".join(FILES[name].splitlines(keepends=True)[:12])
        for name in ("history.csv", "forecasts.csv", "totals.csv")
    },
    **RECORD,
}

# Zips

MEMBERS = st.sampled_from(
    [*FILES, "x.pkl", "../x", "/x", "a/b", "", "manifest.json/", "flask.svg", "past_forecasts.csv"]
)


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@st.composite
def hand_made_zips(draw: st.DrawFn) -> bytes:
    """A zip with members omitted, added, repeated, compressed differently or mislabelled."""
    buffer = io.BytesIO()
    names = [name for name in FILES if draw(st.integers(0, 9))]
    names += draw(st.lists(MEMBERS, max_size=2))
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")
        for name in draw(st.permutations(names)):
            info = zipfile.ZipInfo(name or "empty")
            methods = [
                zipfile.ZIP_STORED,
                zipfile.ZIP_DEFLATED,
                zipfile.ZIP_BZIP2,
                zipfile.ZIP_LZMA,
            ]
            info.compress_type = draw(st.sampled_from(methods))
            info.external_attr = draw(st.sampled_from([0, 0o120777 << 16, 0o644 << 16]))
            archive.writestr(info, FILES.get(name) or draw(st.binary(max_size=20)))
    data = bytearray(buffer.getvalue())
    for _ in range(draw(st.integers(0, 2))):
        place = data.find(b"PK\x01\x02", draw(st.integers(0, len(data))))
        if place >= 0:
            data[place + draw(st.integers(4, 45))] = draw(st.integers(0, 255))
    return bytes(data)


def _trained_through(day: dt.date) -> dict[str, bytes]:
    document = copy.deepcopy(MANIFEST)
    document["packages"]["flask"]["trained_through"] = str(day)
    return {"manifest.json": dumped(document)}


ZIPS = st.one_of(st.binary(max_size=100), edited_bytes(ZIPPED), hand_made_zips(), st.just(ZIPPED))
BUNDLES = st.one_of(
    st.sampled_from(["history.csv", "forecasts.csv", "flask.pkl"]).flatmap(
        lambda name: edited_bytes(FILES[name][:300], 2).map(
            lambda head: {name: head + FILES[name][300:]}
        )
    ),
    st.tuples(edited_bytes(PAST, 2), edited_bytes(TRACK, 2)).map(
        lambda both: {"past_forecasts.csv": both[0], "track_record.csv": both[1]}
    ),
    st.just({"past_forecasts.csv": PAST, "track_record.csv": TRACK}),
    edited_bytes(TOTAL_TRACK, 2).map(lambda totals: RECORD | {"total_record.csv": totals}),
    st.just(RECORD),
    edited_json(MANIFEST, 2).map(lambda document: {"manifest.json": dumped(document)}),
    st.sampled_from(ODD_DAYS).map(_trained_through),
).map(lambda changed: consistent(FILES, changed))

# Manifests


def _with_name(name: str, *, inside: bool) -> bytes:
    """A manifest with a package, or a field, of this name."""
    entry = MANIFEST["packages"]["flask"]
    if inside:
        return dumped({**MANIFEST, "packages": {name: entry}})
    return dumped({**MANIFEST, name: entry})


MANIFESTS = st.one_of(
    st.builds(_with_name, st.sampled_from(ODD_TEXT) | st.text(max_size=9), inside=st.booleans()),
    edited_json(MANIFEST).map(dumped),
    edited_bytes(FILES["manifest.json"]),
    ANYTHING.map(dumped),
    st.just(FILES["manifest.json"]),
)

# Pickles

FIELDS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.dates(),
    st.lists(st.integers(0, 9) | st.floats(), max_size=9).map(tuple),
    st.lists(st.floats(-3, 3), max_size=9).map(tuple),
    st.tuples(*[st.integers(0, 9)] * 3),
    st.tuples(*[st.integers(0, 9)] * 4),
)


def _spoilt(thing: Model | Arima, changes: Mapping[str, Any]) -> Any:
    """One of our classes with fields that its checks would refuse."""
    made = object.__new__(type(thing))
    made.__dict__.update({**thing.__dict__, **changes})
    return made


ODD_STARTS = st.sampled_from(ODD_DAYS).map(lambda day: pickle.dumps(_spoilt(MODEL, {"start": day})))
ASKED_FOR = st.sampled_from(
    [*ODD_TEXT[:-6], "a\nb", "forecast.model", "Model", "os", "system"]
).map(
    lambda text: (
        b"\x8c" + bytes([len(text.encode("utf-8", "replace"))]) + text.encode("utf-8", "replace")
    )
)
NAMES = st.tuples(ASKED_FOR, ASKED_FOR).map(lambda two: b"\x80\x05" + b"".join(two) + b"\x93.")
ARIMA_CHANGES = st.dictionaries(st.sampled_from([*MODEL.searched.__dict__]), FIELDS, max_size=2)
MODEL_CHANGES = st.dictionaries(st.sampled_from([*MODEL.__dict__, "extra"]), FIELDS, max_size=2)
SPOILT_MODELS = st.tuples(ARIMA_CHANGES, MODEL_CHANGES).map(
    lambda both: _spoilt(MODEL, {"searched": _spoilt(MODEL.searched, both[0]), **both[1]})
)
OPCODES = st.lists(
    st.one_of(
        st.sampled_from([b"N", b"(", b")", b"]", b"}", b"\x88", b"\x94", b"\x93", b"\x81", b"R"]),
        st.sampled_from([b"b", b"t", b"\x85", b"\x86", b"\x87", b"a", b"e", b"s", b"u", b"h\0"]),
        st.sampled_from(["forecast.model", "Model", "Arima", "datetime", "date", "os"]).map(
            lambda text: b"\x8c" + bytes([len(text)]) + text.encode()
        ),
        st.integers(0, 255).map(lambda number: b"K" + bytes([number])),
        st.binary(min_size=1, max_size=2),
    ),
    max_size=25,
).map(lambda parts: b"\x80\x05" + b"".join(parts) + b".")
PICKLES = st.one_of(
    edited_bytes(PICKLE),
    ODD_STARTS,
    NAMES,
    OPCODES,
    SPOILT_MODELS.map(pickle.dumps),
    st.just(PICKLE),
)

# Configs

CONFIG = """\
packages = ["Flask", "requests"]
username = "somebody"
repo_name = "some-repo"
forecast_days = 30
m_values = [3, 6, 7]
mirrors = true
artifact_name = "models"
default_branch = "main"
workflow_file = "upload_artifact.yml"

[[events]]
date = 2026-08-24
until = 2026-08-25
kind = "definition"
note = "PyPI counts fewer files"

[[events]]
date = 2026-09-01
until = 2026-09-02
kind = "outage"
note = "PyPI Stats was down"

[[groups]]
name = "web"
title = "Web packages"
packages = ["flask", "django"]
"""
TOML_VALUES = [
    *("", "1", "-1", "0", "91", "1.5", "nan", '""', '"a/b"', '"é"', "[]", "[[]]", "{}", "true"),
    *("2026-02-30", "0001-01-01", "9999-12-31", "2026-08-24T00:00:00Z", '["x"', "'''"),
]
LIKELY = {
    "packages": ['["a", "A"]', '["a/b"]', '["é"]', "[1]", '["zope.interface"]'],
    "m_values": ["[7, 7]", "[0]", "[32]", '["7"]', "[7.0]", "[1, 31]"],
}


@st.composite
def edited_configs(draw: st.DrawFn) -> bytes:
    """Lines removed, repeated, or with another value."""
    lines = CONFIG.splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        kind = draw(st.sampled_from(["value", "value", "out", "again", "key"]))
        key, _, value = lines[at].partition(" = ")
        if kind == "value":
            lines[at] = f"{key} = {draw(st.sampled_from(LIKELY.get(key, []) + TOML_VALUES))}"
        elif kind == "key":
            lines[at] = f"{draw(st.sampled_from(['pakages', 'x', 'events', '']))} = {value}"
        elif kind == "again":
            lines.insert(at, lines[at])
        else:
            lines[at] = ""
    if draw(st.integers(0, 9)) == 0:  # the likeliest edit of all
        lines.append(
            draw(st.sampled_from(["forecast_days = 14", 'packages = ["x"]', "verify = 1"]))
        )
    encoding = draw(st.sampled_from(["utf-8"] * 7 + ["utf-8-sig", "utf-16", "utf-16-be"]))
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines).encode(encoding)


CONFIGS = st.one_of(edited_configs(), edited_bytes(CONFIG.encode()), st.just(CONFIG.encode()))

# Histories

COUNTS = st.dictionaries(
    st.dates(dt.date(2020, 1, 1), dt.date(2035, 1, 1)), st.integers(0, 10**12), max_size=12
)
HISTORIES = st.dictionaries(st.sampled_from(["flask", "requests", "a-b"]), COUNTS, max_size=3)
MERGES = st.tuples(HISTORIES, HISTORIES)


SIGSTORE = Sigstore()
ARTIFACT = Artifact(1, CREATED_AT, f"sha256:{'1' * 64}", 1, 11, "c" * 40)
_DOCUMENT = json.dumps(SIGSTORE.attest(ARTIFACT.digest, Build(ARTIFACT.head_sha, 11))).encode()
ATTESTED = [_DOCUMENT, bytes(snappy.compress_raw(_DOCUMENT))]
ATTESTATIONS = st.one_of([edited_bytes(each) for each in ATTESTED])
