import pytest

from app.data.rate_limits import MAX_CLIENTS, RateLimit, client_key, site_key
from forecast.errors import BusyError


class Setting:
    """A rate limit whose clock the test sets."""

    def __init__(self, per_client=2, total=3):
        self.now = 100.0
        self.limit = RateLimit(per_client, total, 3600.0, lambda: self.now)


def test_each_client_has_a_limit():
    setting = Setting()
    setting.limit.take("a")
    setting.now += 600
    setting.limit.take("a")
    with pytest.raises(
        BusyError, match="you .* limit of 2 in an hour; try again in 50 minutes"
    ) as e:
        setting.limit.take("a")
    assert e.value.retry_after == 3000
    setting.limit.take("b")


def test_all_clients_together_have_a_limit():
    setting = Setting()
    for client in "abc":
        setting.limit.take(client)
    with pytest.raises(BusyError, match="all visitors together have reached the limit of 3"):
        setting.limit.take("d")


def test_a_refusal_costs_nothing():
    setting = Setting()
    setting.limit.take("a")
    setting.limit.take("a")
    for _ in range(5):
        with pytest.raises(BusyError):
            setting.limit.take("a")
    setting.limit.take("b")


def test_the_window_moves():
    setting = Setting(per_client=1, total=1)
    setting.limit.take("a")
    setting.now += 3599
    with pytest.raises(BusyError, match="in a minute"):
        setting.limit.take("a")
    setting.now += 1
    setting.limit.take("a")


def test_memory_is_bounded():
    setting = Setting(total=None)
    for number in range(MAX_CLIENTS + 10):
        setting.limit.take(str(number))
    assert len(setting.limit._clients) == MAX_CLIENTS


@pytest.mark.parametrize(
    ("address", "client"),
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
def test_a_household_is_one_client(address, client):
    assert client_key(address) == client


def test_what_is_given_back_can_be_taken_again():
    limit = RateLimit(1, 1, 60.0, lambda: 0.0)
    limit.take("one")
    limit.give_back("one")
    limit.take("one")
    limit.give_back("nobody")
    with pytest.raises(BusyError):
        limit.take("one")


def test_a_site_has_twice_the_share_of_a_client():
    setting = Setting(per_client=2, total=None)
    for network in ("1", "2", "1", "2"):
        setting.limit.take(client_key(f"2001:db8:0:{network}::1"))
    with pytest.raises(BusyError, match="limit of 4"):
        setting.limit.take(client_key("2001:db8:0:ff::1"))
    setting.limit.take(client_key("2001:db8:0:100::1"))


@pytest.mark.parametrize(
    ("client", "site"),
    [
        ("2001:db8:1:2fe::/64", "2001:db8:1:200::/56"),
        ("198.51.100.7", "198.51.100.7"),
        ("", ""),
    ],
)
def test_the_site_of_a_client(client, site):
    assert site_key(client) == site


def test_what_is_given_back_counts_for_its_site_neither():
    client, other = (client_key(f"2001:db8:0:{network}::1") for network in ("1", "2"))
    limit = RateLimit(1, None, 60.0, lambda: 0.0)
    for _ in range(5):
        limit.take(client)
        limit.give_back(client)
    limit.take(client)
    limit.take(other)
