"""The checks of one package that a bundle is written with and read with.

``forecast.bundle.writer`` calls ``check_package`` before it writes a byte of a package, and
``forecast.bundle.reader`` applies the same checks to what it finds. So whatever made a package,
nothing is published that a reader refuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast.bands import are_bands, are_totals, total_spans
from forecast.bundle.svg import check_picture
from forecast.errors import BundleError
from forecast.model import pickling
from forecast.quantities import LONGEST_HORIZON

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from forecast.bands import Forecast, Total
    from forecast.model.model import Model

PICTURES = (".svg", ".badge.svg")


def picture_names(name: str) -> tuple[str, ...]:
    """The file names that a package's pictures may have."""
    return tuple(f"{name}{end}" for end in PICTURES)


def check_package(
    name: str,
    model: bytes,
    forecast: Forecast,
    *,
    trained_through: dt.date | None,
    totals: Mapping[int, Total],
    pictures: Mapping[str, str],
    days: int,
) -> None:
    """Refuse a package whose files a reader would refuse.

    Args:
        name: the package.
        model: pickled.
        forecast: by day, of ``days`` days.
        trained_through: of the manifest's entry.
        totals: of its first days.
        pictures: SVG by file name.
        days: the manifest's ``forecast_days``.

    Raises:
        BundleError: saying what is wrong.
    """
    made = read_model(model, name, trained_through)
    after = made.last_day.toordinal() + 1
    shape = {values.shape for values in forecast.columns().values()}
    if forecast.start.toordinal() != after or shape != {(days,)}:
        raise BundleError(f"expected a forecast of {days} days from the day after the last one")
    if not are_bands(forecast.columns()):
        raise BundleError("a value of the forecast is out of range, or outside its band")
    if tuple(totals) != total_spans(days):
        told = ", ".join(map(str, total_spans(days)))
        raise BundleError(f"expected the totals of {told} days")
    if not all(are_totals(total.columns()) for total in totals.values()):
        raise BundleError("a total is out of range, or outside its band")
    for file_name, picture in pictures.items():
        if file_name not in picture_names(name):
            raise BundleError(f"{file_name!r:.80} is no name of a picture of {name!r}")
        check_picture(file_name, picture.encode())


def read_model(data: bytes, name: str, trained_through: dt.date | None) -> Model:
    """A package's model, rebuilt and run once.

    Args:
        data: the pickle.
        name: the package.
        trained_through: the day that the manifest says.

    Raises:
        BundleError: if the pickle is not one of ours, ends on another day, or forecasts what is
            no forecast.
    """
    model = pickling.loads(data)
    if model.last_day != trained_through:
        raise BundleError(
            f"the model of {name!r} ends on {model.last_day}, the manifest says {trained_through}"
        )
    forecast, totals = model.predict_with_totals(LONGEST_HORIZON)
    fine = are_bands(forecast.columns())
    if not (fine and all(are_totals(total.columns()) for total in totals.values())):
        raise BundleError(f"the model of {name!r} forecasts what is out of range")
    return model
