from ipaddress import ip_network
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp.test_utils import make_mocked_request

from services.gateway.http.forwarded import ForwardedHeaders

TOLD = {
    "Host": "gateway:7400",
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "trade.example",
}


def request_from(peer: str, headers: dict[str, str]) -> Any:
    transport = Mock()
    transport.get_extra_info.side_effect = lambda name, default=None: (
        (peer, 1) if name == "peername" else default
    )
    return make_mocked_request("GET", "/", headers=headers, transport=transport)


@pytest.mark.parametrize(
    ("peer", "seen"),
    [
        ("10.0.0.1", ("192.0.2.1", "https", "trade.example")),
        ("198.51.100.7", ("198.51.100.7", "http", "gateway:7400")),
    ],
)
def test_only_proxies_of_ours_are_believed(peer: str, seen: tuple[str, str, str]) -> None:
    outside = ForwardedHeaders([ip_network("10.0.0.0/8")])
    request = request_from(peer, TOLD)
    assert (outside.address(request), outside.scheme(request), outside.host(request)) == seen
