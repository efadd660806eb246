"""Models to bytes and back, admitting nothing but models.

Unpickling can call any importable function, so a foreign pickle is foreign
code. ``loads`` looks at the opcodes before it runs any, and resolves no name but
those in ``ADMITTED``. Our own classes are not among what a pickle can make: it
fills a ``_Fields`` in their place, and their constructors, which check every field,
make the model of these.
"""

from __future__ import annotations

import datetime as dt
import io
import pickle
import pickletools
import re
from itertools import groupby
from typing import TYPE_CHECKING, Any, NoReturn

from forecast.errors import BundleError

if TYPE_CHECKING:
    from forecast.model.model import Model


class _Fields:
    """What a pickle says of one of our classes, unchecked; empty if it says nothing."""

    values: object = None

    def __setstate__(self, state: object) -> None:
        self.values = state


class _ModelFields(_Fields):
    """Those of a model."""


class _ArimaFields(_Fields):
    """Those of its searched ARIMA."""


PROTOCOL = 5
LARGEST_MODEL = 64 * 1024  # bytes; a model has 10 kB at the most

# What takes the place of each name that a pickle may ask for.
ADMITTED = {
    ("forecast.model", "Model"): _ModelFields,
    ("forecast.model", "Arima"): _ArimaFields,
    ("datetime", "date"): dt.date,
}

# What dumps() needs to write our classes with plain values, and no more: no memo slot of
# any number, no length of eight bytes, no persistent id, no extension registry.
OPCODES = {
    *("PROTO", "FRAME", "STOP", "MEMOIZE", "BINGET", "LONG_BINGET", "MARK"),
    *("NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
    *("SHORT_BINUNICODE", "BINUNICODE", "SHORT_BINBYTES", "BINBYTES"),
    *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_LIST", "APPEND", "APPENDS"),
    *("EMPTY_DICT", "SETITEM", "SETITEMS", "STACK_GLOBAL", "NEWOBJ", "REDUCE", "BUILD"),
}

_ALL = {opcode.code.encode("latin-1"): opcode for opcode in pickletools.opcodes}
# Code to the bytes of its argument; below 0 the argument begins with its own length.
_SIZES = {
    code: opcode.arg.n if opcode.arg else 0
    for code, opcode in _ALL.items()
    if opcode.name in OPCODES
}
_LENGTHS = {pickletools.TAKEN_FROM_ARGUMENT1: 1, pickletools.TAKEN_FROM_ARGUMENT4U: 4}
_STOP = b"."


def _plain_opcodes() -> re.Pattern[bytes]:
    """Any number of whole opcodes whose argument has a fixed size."""
    plain = sorted((size, code) for code, size in _SIZES.items() if size >= 0 and code != _STOP)
    codes = {
        size: b"".join(re.escape(code) for _, code in several)
        for size, several in groupby(plain, lambda each: each[0])
    }
    each = b"|".join(b"[%b].{%d}" % (found, size) for size, found in codes.items())
    return re.compile(b"(?:%b)*+" % each, re.DOTALL)


_PLAIN = _plain_opcodes()


def dumps(model: Model) -> bytes:
    """Pickle a model; the same model gives the same bytes."""
    return pickle.dumps(model, protocol=PROTOCOL)


def loads(data: bytes) -> Model:
    """Unpickle what ``dumps`` wrote.

    Raises:
        BundleError: if ``data`` is anything else.
    """
    # A page without models need not load these.
    from forecast.model.arima import Arima  # noqa: PLC0415
    from forecast.model.model import Model  # noqa: PLC0415

    if len(data) > LARGEST_MODEL:
        raise BundleError(f"a model has at most {LARGEST_MODEL:,} bytes; this has {len(data):,}")
    try:
        _check_opcodes(data)
        loaded = _Unpickler(io.BytesIO(data)).load()
    except BundleError:
        raise
    except Exception as error:  # noqa: BLE001 - a broken pickle may raise anything at all
        raise BundleError(f"the model is not a whole pickle ({type(error).__name__})") from None
    if not isinstance(loaded, _ModelFields):
        raise BundleError(f"expected a pickled Model; this is a {type(loaded).__name__}")
    values = loaded.values
    if isinstance(values, dict) and isinstance(searched := values.get("searched"), _ArimaFields):
        values = {**values, "searched": Arima.from_fields(searched.values)}
    return Model.from_fields(values)


def _check_opcodes(data: bytes) -> None:
    """As with ``pickletools.genops``, which takes longer than all other checks of a model.

    Raises:
        BundleError: if there is an opcode that is not admitted.
        ValueError: if the pickle ends too early.
    """
    at = 0
    while True:
        at = _PLAIN.match(data, at).end()  # type: ignore[union-attr] # it may match nothing
        code = data[at : at + 1]
        if code == _STOP:
            return
        width = _LENGTHS.get(_SIZES.get(code, 0))
        if width is None:
            raise _refused(code)
        at += 1 + width
        at += int.from_bytes(data[at - width : at], "little")


def _refused(code: bytes) -> Exception:
    """Why a pickle cannot be read any further."""
    if code in _SIZES or code not in _ALL:
        return ValueError("ends within an opcode, or has one that does not exist")
    return BundleError(f"the model's pickle uses {_ALL[code].name}, which no model of ours does")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return ADMITTED[module, name]
        except KeyError:
            asked = f"{module}.{name}".encode("unicode_escape").decode()[:200]
            raise BundleError(
                f"the model's pickle asks for {asked}, which is not admitted"
            ) from None

    def persistent_load(self, pid: Any) -> NoReturn:  # noqa: ARG002 - the base's signature
        raise BundleError("the model's pickle refers to something outside it")
