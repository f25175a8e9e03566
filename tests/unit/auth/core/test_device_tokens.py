import pytest
from pydantic import SecretStr

from services.auth.core.device_tokens import DeviceTokens
from services.auth.core.keyed_hash import KeyedHash

DEVICE_TOKENS = DeviceTokens(KeyedHash(SecretStr("p" * 32)))


def test_an_issued_token_is_verified_to_its_device_id() -> None:
    token = DEVICE_TOKENS.issue("ann")
    device_id = DEVICE_TOKENS.verify("ann", token)
    assert device_id is not None
    assert token.startswith(f"{device_id}.")


def test_each_token_has_its_own_device_id() -> None:
    first, second = DEVICE_TOKENS.issue("ann"), DEVICE_TOKENS.issue("ann")
    assert DEVICE_TOKENS.verify("ann", first) != DEVICE_TOKENS.verify("ann", second)


def test_a_token_is_valid_only_for_its_account_and_with_the_same_secret() -> None:
    token = DEVICE_TOKENS.issue("ann")
    assert DEVICE_TOKENS.verify("bob", token) is None
    other = DeviceTokens(KeyedHash(SecretStr("q" * 32)))
    assert other.verify("ann", token) is None


@pytest.mark.parametrize("token", [None, "", ".", "x", "x.", ".x", "x.y", "ü.ü", "x" * 999])
def test_a_malformed_token_is_not_verified(token: str | None) -> None:
    assert DEVICE_TOKENS.verify("ann", token) is None
