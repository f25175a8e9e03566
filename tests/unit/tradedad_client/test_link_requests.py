"""Requests for links have the paths and bodies of the REST interface."""

import msgspec
import pytest

from tradedad_client import link_requests as requests
from tradedad_client.http_request import Request
from tradedad_client.link_messages import LinkPurpose

TRADING = LinkPurpose.TRADING


def test_the_purpose_is_in_the_query_or_the_body() -> None:
    assert requests.status(LinkPurpose.FEED) == Request("GET", "/v1/link/upstox?purpose=feed")
    assert requests.unlink(TRADING) == Request("DELETE", "/v1/link/upstox?purpose=trading")
    assert requests.renew(TRADING) == Request(
        "POST", "/v1/link/upstox/request", b'{"purpose":"trading"}'
    )


def test_a_login_is_finished_by_its_text_and_only_once() -> None:
    request = requests.finish('u.s:c"')
    assert (request.method, request.path) == ("POST", "/v1/link/upstox/finish")
    assert msgspec.json.decode(request.body or b"") == {"answer": 'u.s:c"'}
    assert not request.is_repeatable


def test_a_login_with_an_own_app_has_its_id_and_secret() -> None:
    assert requests.begin(TRADING, None, None).body == b'{"purpose":"trading"}'
    body = requests.begin(TRADING, "app-1", "s").body
    assert msgspec.json.decode(body or b"") == {
        "purpose": "trading", "client_id": "app-1", "client_secret": "s",
    }  # fmt: skip


@pytest.mark.parametrize("app", [("app-1", None), (None, "s")])
def test_half_an_app_is_refused_before_anything_is_sent(app: tuple[str | None, str | None]) -> None:
    with pytest.raises(ValueError, match="both client_id and client_secret"):
        requests.begin(TRADING, *app)


def test_an_unknown_purpose_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a valid LinkPurpose"):
        requests.status("orders")  # type: ignore[arg-type]
