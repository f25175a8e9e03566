"""X-Forwarded-* headers count only when they come from a trusted proxy."""

from ipaddress import ip_network
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp.test_utils import make_mocked_request

from shared.web.forwarded import ForwardedHeaders

FORWARDED = {
    "Host": "gateway:7400",
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "trade.example",
}
PROXY, STRANGER = "10.0.0.1", "198.51.100.7"


def request_from(peer: str, headers: dict[str, str]) -> Any:
    transport = Mock()
    transport.get_extra_info.side_effect = lambda name, default=None: (
        (peer, 1) if name == "peername" else default
    )
    return make_mocked_request("GET", "/", headers=headers, transport=transport)


def view_of(peer: str, headers: dict[str, str]) -> tuple[str, str, str]:
    """Address, scheme and host of a request."""
    forwarded = ForwardedHeaders([ip_network("10.0.0.0/8")])
    request = request_from(peer, headers)
    return forwarded.address(request), forwarded.scheme(request), forwarded.host(request)


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        (PROXY, ("192.0.2.1", "https", "trade.example")),
        (STRANGER, (STRANGER, "http", "gateway:7400")),
    ],
)
def test_only_trusted_proxies_set_address_scheme_and_host(
    peer: str, expected: tuple[str, str, str]
) -> None:
    assert view_of(peer, FORWARDED) == expected


def test_a_trusted_proxy_without_headers_leaves_the_request_as_it_is() -> None:
    assert view_of(PROXY, {"Host": "gateway:7400"}) == (PROXY, "http", "gateway:7400")


def test_an_empty_header_of_a_trusted_proxy_is_ignored() -> None:
    headers = {"Host": "gateway:7400", "X-Forwarded-Host": "", "X-Forwarded-Proto": ""}
    assert view_of(PROXY, headers) == (PROXY, "http", "gateway:7400")
