"""The bodies that start and finish a login accept what the trading service accepts, and show no secret."""

from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from services.gateway.rest.links.inputs import LoginEnd, NewLogin
from shared.contracts.upstox_links import LinkBeginRequest, LinkFinishRequest, LinkPurpose
from shared.errors import LinkStateInvalid

APP: dict[str, Any] = {"client_id": "app-1", "client_secret": "s3cret!"}


def test_a_login_with_the_operators_app_has_no_id_and_no_secret() -> None:
    request = NewLogin.model_validate({"purpose": "trading"}).request("user-1")
    assert request == LinkBeginRequest(user_id="user-1", purpose=LinkPurpose.TRADING)


def test_a_login_with_the_users_own_app_has_both() -> None:
    request = NewLogin.model_validate({"purpose": "trading"} | APP).request("user-1")
    assert (request.client_id, request.client_secret) == ("app-1", "s3cret!")


@pytest.mark.parametrize("name", APP)
def test_half_an_app_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="both client_id and client_secret"):
        NewLogin.model_validate({"purpose": "trading", name: APP[name]})


@pytest.mark.parametrize(
    "fields",
    [
        {"client_id": "x" * 65}, {"client_id": ""}, {"client_id": "a b"}, {"client_id": "a\n"},
        {"client_secret": "x" * 129}, {"client_secret": ""}, {"client_secret": "a b"},
        {"client_secret": "\u00e9"}, {"client_secret": "a\n"}, {"client_secret": 5},
        {"purpose": "orders"}, {"purpose": None}, {"user_id": "user-2"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_valid_is_refused_without_showing_the_secret(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        NewLogin.model_validate({"purpose": "trading"} | APP | fields)
    assert APP["client_secret"] not in caught.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    "app",
    [
        {"client_id": "x" * 64, "client_secret": "!" * 128},
        {"client_id": "A-z_0", "client_secret": "~"},
    ],
    ids=["longest", "shortest"],
)
def test_every_app_that_is_accepted_is_valid_on_the_bus(app: dict[str, str]) -> None:
    request = NewLogin.model_validate({"purpose": "feed"} | app).request("user-1")
    assert msgspec.json.decode(msgspec.json.encode(request), type=LinkBeginRequest) == request


def test_the_secret_is_not_in_the_repr() -> None:
    assert "s3cret" not in repr(NewLogin.model_validate({"purpose": "trading"} | APP))


STATE = "user-1." + "s" * 43


@pytest.mark.parametrize("is_admin", [True, False])
def test_the_text_of_the_own_login_finishes_it_with_the_role_of_the_token(is_admin: bool) -> None:
    login = LoginEnd.model_validate({"answer": f"\t{STATE}:abc123 \r\n"})
    request = login.request("user-1", is_admin=is_admin)
    assert request == LinkFinishRequest(
        user_id="user-1", is_admin=is_admin, state=STATE, code="abc123"
    )
    assert msgspec.json.decode(msgspec.json.encode(request), type=LinkFinishRequest) == request


@pytest.mark.parametrize("user_id", ["user-2", "user", "user-11", "", "USER-1"])
def test_the_text_of_another_users_login_is_refused(user_id: str) -> None:
    with pytest.raises(LinkStateInvalid, match="another user has begun this login"):
        LoginEnd.model_validate({"answer": f"{STATE}:abc123"}).request(user_id, is_admin=True)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"answer": ""}, {"answer": " "}, {"answer": 5}, {"answer": None}, {"answer": "x" * 622},
        {"answer": f"{STATE}:c", "user_id": "user-2"}, {"answer": f"{STATE}:c", "purpose": "feed"},
    ],
    ids=lambda body: str(body)[:40],
)  # fmt: skip
def test_a_body_without_a_text_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LoginEnd.model_validate(body)


def test_the_text_is_not_in_the_repr() -> None:
    assert STATE not in repr(LoginEnd.model_validate({"answer": f"{STATE}:c"}))
