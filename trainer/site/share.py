"""A share of a bundle, small enough to be handed to another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecast.bundle.gate import picture_names
from forecast.bundle.reader import Bundle
from forecast.bundle.tables import Table

if TYPE_CHECKING:
    from collections.abc import Collection


def share_of(bundle: Bundle, names: Collection[str]) -> Bundle:
    """The bundle with these packages alone, its files in memory.

    Raises:
        BundleError: if a file has changed since the bundle was verified.
    """
    files = {f"{name}.pkl": bundle.pickle(name) for name in names}
    for picture in (each for name in names for each in picture_names(name)):
        if (data := bundle.picture(picture)) is not None:
            files[picture] = data
    known = bundle.manifest.files
    update = {
        "packages": {name: bundle.entry(name) for name in names},
        "files": {file: known[file] for file in files if file in known},
    }
    manifest = bundle.manifest.model_copy(update=update)
    tables = {kind: _of(table, names) for kind, table in bundle.tables.items()}
    return Bundle(manifest, tables, files.__getitem__)


def _of(table: Table, names: Collection[str]) -> Table:
    found = {name: table.places[name] for name in names if name in table.places}
    rows = [np.arange(place.start, place.stop) for place in found.values()]
    ends = np.cumsum([each.size for each in rows]).tolist()
    places = {
        name: slice(end - each.size, end) for name, each, end in zip(found, rows, ends, strict=True)
    }
    return Table(table.taken(np.concatenate([*rows, np.zeros(0, dtype=np.int64)])), places)
