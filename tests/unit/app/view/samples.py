"""Package forecasts that the tests of this folder start from."""

from dataclasses import replace

from app.data.package_forecast import from_bundle
from forecast.bundle.manifest import Backtest
from forecast.config import Package
from tests.bundles import make_bundle

SCORES = Backtest(
    origins=4, mase=0.9, naive_mase=1.2, ratio=0.75, coverage_80=0.78, coverage_95=0.941
)
NAMES = ("flask", "requests", "a", "b", "c")


def package_forecast(name="flask", *, scores=SCORES, **changes):
    """A package of the bundle of the tests, with some of its attributes replaced."""
    made = from_bundle(make_bundle(NAMES), Package(name, name), None, ())
    return replace(made, backtest=scores, **changes)


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")
