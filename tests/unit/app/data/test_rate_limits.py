import pytest

from app.data.rate_limits import MOST_KEPT, Allowance, visitor_of
from forecast.errors import BusyError


class Setting:
    """An allowance whose clock is at hand."""

    def __init__(self, each=2, everybody=3):
        self.now = 100.0
        self.allowance = Allowance(each, everybody, 3600.0, lambda: self.now)


def test_each_visitor_has_so_many():
    setting = Setting()
    setting.allowance.take("a")
    setting.now += 600
    setting.allowance.take("a")
    with pytest.raises(BusyError, match="you have asked for 2 within an hour.*in 50 minutes") as e:
        setting.allowance.take("a")
    assert e.value.retry_after == 3000
    setting.allowance.take("b")


def test_all_together_have_so_many():
    setting = Setting()
    for visitor in "abc":
        setting.allowance.take(visitor)
    with pytest.raises(BusyError, match="all visitors together have asked for 3"):
        setting.allowance.take("d")


def test_a_refusal_costs_nothing():
    setting = Setting()
    setting.allowance.take("a")
    setting.allowance.take("a")
    for _ in range(5):
        with pytest.raises(BusyError):
            setting.allowance.take("a")
    setting.allowance.take("b")


def test_the_window_moves():
    setting = Setting(each=1, everybody=1)
    setting.allowance.take("a")
    setting.now += 3599
    with pytest.raises(BusyError, match="in a minute"):
        setting.allowance.take("a")
    setting.now += 1
    setting.allowance.take("a")


def test_memory_is_bounded():
    setting = Setting(everybody=None)
    for number in range(MOST_KEPT + 10):
        setting.allowance.take(str(number))
    assert len(setting.allowance._visitors) == MOST_KEPT


@pytest.mark.parametrize(
    ("address", "visitor"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("not an address", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_household_is_one_visitor(address, visitor):
    assert visitor_of(address) == visitor
