"""Models to bytes and back, admitting nothing but models.

Unpickling can call any importable function, so a foreign pickle is foreign
code. ``loads`` looks at the opcodes before it runs any, resolves no name but
those in ``ADMITTED``, and so has nothing to call but our own classes, which
check their fields.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from typing import TYPE_CHECKING, Any, NoReturn

from forecast.errors import BundleError

if TYPE_CHECKING:
    from forecast.model.model import Model

PROTOCOL = 5
LARGEST_MODEL = 64 * 1024  # bytes; a model has 10 kB at the most

ADMITTED = {
    ("forecast.model", "Model"),
    ("forecast.model", "Arima"),
    ("datetime", "date"),
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


def dumps(model: Model) -> bytes:
    """Pickle a model; the same model gives the same bytes."""
    return pickle.dumps(model, protocol=PROTOCOL)


def loads(data: bytes) -> Model:
    """Unpickle what ``dumps`` wrote.

    Raises:
        BundleError: if ``data`` is anything else.
    """
    from forecast.model.model import Model  # noqa: PLC0415 - a page without models need not load it

    if len(data) > LARGEST_MODEL:
        raise BundleError(f"a model has at most {LARGEST_MODEL:,} bytes; this has {len(data):,}")
    try:
        _check_opcodes(data)
        loaded = _Unpickler(io.BytesIO(data)).load()
    except BundleError:
        raise
    except Exception as error:  # noqa: BLE001 - a broken pickle may raise anything at all
        raise BundleError(f"the model is not a whole pickle ({type(error).__name__})") from None
    if not isinstance(loaded, Model):
        raise BundleError(f"expected a pickled Model; this is a {type(loaded).__name__}")
    return loaded


def _check_opcodes(data: bytes) -> None:
    for opcode, _, _ in pickletools.genops(data):
        if opcode.name not in OPCODES:
            raise BundleError(f"the model's pickle uses {opcode.name}, which no model of ours does")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ADMITTED:
            asked = f"{module}.{name}".encode("unicode_escape").decode()[:200]
            raise BundleError(f"the model's pickle asks for {asked}, which is not admitted")
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> NoReturn:  # noqa: ARG002 - the base's signature
        raise BundleError("the model's pickle refers to something outside it")
