"""Only a model of ours comes out of a pickle; nothing else is ever called."""

from __future__ import annotations

import builtins
import codecs
import ctypes
import dataclasses
import functools
import importlib
import io
import operator
import os
import pickle
import pickletools
import runpy
import shutil
import subprocess
import time
import timeit
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.bands import are_bands, are_totals
from forecast.errors import BundleError
from forecast.model import pickling
from forecast.quantities import LONGEST_HORIZON
from tests.bundles import make_bundle


@pytest.fixture(scope="module")
def model():
    return make_bundle().model("flask")


@pytest.fixture(scope="module")
def pickled(model):
    return pickling.dumps(model)


class Call:
    """Pickles as a call of ``function(*arguments)``."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def unchecked(kind, **state):
    """An object that pickles with this state; by NEWOBJ alone, without BUILD, if it has none."""
    made = object.__new__(kind)
    vars(made).update(state)
    return made


def test_a_model_comes_back_the_same(model, pickled):
    assert pickling.loads(pickled) == model
    assert pickling.dumps(pickling.loads(pickled)) == pickled


def test_a_model_has_ten_kilobytes_at_the_most(pickled):
    assert len(pickled) <= 10_000


GADGETS = [
    Call(os.system, "touch owned"),
    Call(subprocess.Popen, ["touch", "owned"]),
    Call(subprocess.check_output, ["touch", "owned"]),
    Call(eval, "open('owned', 'w')"),
    Call(exec, "open('owned', 'w')"),
    Call(compile, "1", "x", "eval"),
    Call(open, "owned", "w"),
    Call(io.FileIO, "owned", "w"),
    Call(getattr, "", "join"),
    Call(setattr, "", "x", 1),
    Call(importlib.import_module, "antigravity"),
    Call(builtins.__import__, "antigravity"),
    Call(runpy.run_path, "owned.py"),
    Call(timeit.timeit, "1"),
    Call(shutil.rmtree, "owned"),
    Call(operator.attrgetter, "system"),
    Call(operator.methodcaller, "system", "touch owned"),
    Call(functools.partial, print, "x"),
    Call(functools.reduce, operator.add, [1, 2]),
    Call(codecs.decode, b"x", "zip"),
    Call(pickle.loads, b"N."),
    Call(ctypes.CDLL, None),
    Call(types.SimpleNamespace),
    Call(np.load, "owned"),
    Call(np.frombuffer, b"x"),
    np.zeros(3),
    np.float64(1.0),
    slice(1),
    {1, 2},
    bytearray(b"x"),
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("gadget", GADGETS, ids=lambda gadget: repr(gadget)[:40])
def test_a_pickle_that_asks_for_anything_else_is_refused(gadget, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BundleError):
        pickling.loads(pickle.dumps(gadget, protocol=protocol))
    assert list(tmp_path.iterdir()) == []


def raw(*opcodes):
    return b"\x80\x05" + b"".join(opcodes) + b"."


def text(value):
    return b"\x8c" + bytes([len(value)]) + value.encode()


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (raw(text("os"), text("system"), b"\x93"), "asks for os.system"),
        (raw(text("forecast.model"), text("np"), b"\x93"), "asks for forecast.model.np"),
        (raw(text("forecast.model"), text("Model.predict"), b"\x93"), "asks for forecast.model.M"),
        (raw(text("datetime"), text("date.today"), b"\x93"), "asks for datetime.date.today"),
        (raw(b"cos\nsystem\n"), "uses GLOBAL"),
        (raw(b"(S'x'\nios\nsystem\n"), "uses STRING"),
        (raw(b"(ios\nsystem\n"), "uses INST"),
        (raw(b"\x82\x01"), "uses EXT1"),
        (raw(b"Px\n"), "uses PERSID"),
        (raw(b"NQ"), "uses BINPERSID"),
        (raw(b"Nr\xff\xff\xff\x7f"), "uses LONG_BINPUT"),
        (raw(b"\x96" + (2**60).to_bytes(8, "little")), "not a whole pickle|uses BYTEARRAY8"),
        (raw(b"\x8e" + (2**40).to_bytes(8, "little")), "not a whole pickle|uses BINBYTES8"),
        (raw(b"\x97"), "uses NEXT_BUFFER"),
        (raw(b"N"), "expected a pickled Model; this is a NoneType"),
        (b"", "not a whole pickle"),
        (b"\x80\x05", "not a whole pickle"),
        (raw(b"\x93"), "not a whole pickle"),
        (raw(text("forecast.model"), text("Model"), b"\x93"), "expected a pickled Model"),
        (raw(text("forecast.model"), text("Model"), b"\x93", b")\x81}b"), "has not the fields"),
        (raw(text("forecast.model"), text("Model"), b"\x93", b")\x81"), "has not the fields"),
        (raw(text("forecast.model"), text("Model"), b"\x93", b")R"), "has not the fields"),
        (raw(text("forecast.model"), text("Model"), b"\x93", b")\x81Nb"), "has not the fields"),
        (raw(text("forecast.model"), text("Arima"), b"\x93", b")\x81"), "is a _ArimaFields"),
    ],
)
def test_a_hand_made_pickle_is_refused(data, match):
    with pytest.raises(BundleError, match=match):
        pickling.loads(data)


@pytest.mark.parametrize("field", ["searched", "start", "history", "days_off"])
def test_an_object_without_fields_is_refused_wherever_it_stands(model, field):
    fields = {**vars(model), field: unchecked(type(model.searched))}
    data = pickle.dumps(unchecked(type(model), **fields), protocol=5)
    with pytest.raises(BundleError, match="has not the fields|not a model of this project"):
        pickling.loads(data)


@pytest.mark.parametrize(
    "searched",
    [
        ((1, 0, 0), (0, 0, 0, 0), (1e200,)),
        ((1, 0, 1), (0, 0, 0, 0), (1e200, 0.01)),
        ((5, 1, 5), (5, 1, 5, 180), (0.01,) * 20),
        ((1, 0, 0), (1, 0, 0, 366), (0.1, 0.1)),
        ((11, 0, 0), (0, 0, 0, 0), (0.1,) * 11),
        ((1, 0, 0), (0, 0, 0, 367), (0.1,)),
    ],
    ids=str,
)
def test_a_searched_arima_that_costs_too_much_or_explodes_is_refused(model, searched):
    order, seasonal_order, params = searched
    arima = {"order": order, "seasonal_order": seasonal_order, "params": params}
    fields = {"searched": unchecked(type(model.searched), **arima), "history": (1000.0,) * 7_000}
    data = pickle.dumps(unchecked(type(model), **{**vars(model), **fields}), protocol=5)
    with pytest.raises(BundleError, match="not a model of this project"):
        pickling.loads(data)


def test_the_costliest_model_that_is_admitted_forecasts_within_a_second(model):
    steep = dataclasses.replace(
        model.searched, order=(10, 10, 10), seasonal_order=(10, 1, 10, 7), params=(10.0,) * 40
    )
    history = (1000.0, 1.0) * 3_500
    costly = dataclasses.replace(model, history=history, searched=steep)
    started = time.process_time()
    forecast, totals = costly.predict_with_totals(LONGEST_HORIZON)
    assert time.process_time() - started < 1.0
    assert are_bands(forecast.columns())
    assert all(are_totals(total.columns()) for total in totals.values())


def test_a_history_has_a_longest(model):
    with pytest.raises(BundleError, match="history must be 14 counts or more"):
        dataclasses.replace(model, history=(1.0,) * 20_001)


def test_a_pickle_that_is_too_large_is_not_looked_at():
    with pytest.raises(BundleError, match="at most 65,536 bytes"):
        pickling.loads(b"\0" * 70_000)


@given(st.data())
def test_a_changed_byte_gives_a_whole_model_or_a_refusal(model, pickled, data):
    changed = bytearray(pickled)
    position = data.draw(st.integers(0, len(changed) - 1))
    changed[position] ^= data.draw(st.integers(1, 255))
    try:
        loaded = pickling.loads(bytes(changed))
    except BundleError:
        return
    assert type(loaded) is type(model)
    assert np.isfinite(loaded.predict(3).upper_95).all()


WHOLE = st.one_of(
    st.sampled_from(
        [b"N", b"K\x01", b"M\0\1", b"J" + b"x" * 4, b"G" + b"x" * 8, b"\x95" + b"x" * 8]
    ),
    st.integers(0, 9).map(lambda size: b"\x8c%c" % size + b"x" * size),
    st.integers(0, 9).map(lambda size: b"B" + size.to_bytes(4, "little") + b"N" * size),
)
ODD = st.sampled_from(
    [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]
) | st.binary(max_size=3)


@given(st.lists(WHOLE), ODD, st.lists(WHOLE))
def test_opcodes_are_found_where_pickletools_finds_them(before, odd, after):
    data = b"".join([*before, odd, *after, b"."])
    try:
        names = [opcode.name for opcode, _, _ in pickletools.genops(data)]
    except UnicodeDecodeError:
        return  # pickle decodes the text itself
    except ValueError:
        names = None
    try:
        pickling._check_opcodes(data)
    except ValueError:
        assert names is None
    except BundleError:
        assert names is None or not pickling.OPCODES.issuperset(names)
    else:
        assert names is not None
        assert pickling.OPCODES.issuperset(names)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data):
    with pytest.raises(BundleError):
        pickling.loads(data)
