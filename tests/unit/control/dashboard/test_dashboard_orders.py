"""What the process is told, and what the config makes of it."""

import pytest

from smartdoh.config import parse
from smartdoh.control.dashboard.orders import Orders, orders_of
from smartdoh.errors import ConfigError

GROUP = '[groups.main]\nupstreams = ["https://1.1.1.1"]\n[dashboard]\n'
A_HASH = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG"


def test_without_an_address_there_is_none() -> None:
    assert orders_of(parse(GROUP), {}) is None
    assert orders_of(parse(GROUP + 'listen = ""'), {}) is None


def test_orders_come_through_the_socket_whole() -> None:
    text = f'listen = "[::1]:8053"\nhosts = ["DNS.example"]\npassword_hash = "{A_HASH}"'
    orders = orders_of(parse(GROUP + text), {"STATE_DIRECTORY": "/var/lib/smartdoh"})
    assert orders is not None
    assert (orders.host, orders.port, orders.hosts) == ("::1", 8053, ("dns.example",))
    assert Orders.from_bytes(orders.to_bytes()) == orders
    assert A_HASH not in repr(orders)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('listen = "127.0.0.1"', "dashboard.listen: '127.0.0.1' has no port"),
        ('listen = "127.0.0.1:5553"', "is an address that questions are taken on"),
        ('listen = "192.168.1.2:8053"', "is not loopback, and there is no password"),
        ('hosts = ["a:80"]', "dashboard.hosts[0]: 'a:80' is not a domain name"),
        ('password_hash = "secret"', "dashboard.password_hash: 'secret' is not a hash"),
    ],
)
def test_what_is_wrong_is_a_line(line: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"^[^\n]*$") as caught:
        parse(GROUP + line)
    assert said in str(caught.value)


def test_with_a_password_any_address_will_do() -> None:
    assert (
        parse(GROUP + f'listen = "192.168.1.2:8053"\npassword_hash = "{A_HASH}"').dashboard.listen is not None
    )
