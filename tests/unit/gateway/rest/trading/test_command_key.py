"""The header Idempotency-Key."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from services.gateway.rest.trading.command_key import HEADER, command_key
from shared.errors import IdempotencyKeyMissing


def key_of(*values: str) -> str:
    """The key of a request with these headers."""
    headers = CIMultiDict([(HEADER, value) for value in values])
    return command_key(make_mocked_request("POST", "/v1/orders", headers=headers))


@pytest.mark.parametrize("key", ["a", "0", "aZ09_.:-" * 8, "5f27d2f0-6f8e-4b6e-9a53-000000000000"])
def test_a_key_of_allowed_characters_is_accepted(key: str) -> None:
    assert key_of(key) == key


@pytest.mark.parametrize(
    "keys", [(), ("",), ("a b",), ("x" * 65,), ("a", "b"), ("a", "a"), ("a\n",), ("é",), ("a,b",)]
)
def test_no_key_two_keys_or_another_text_are_refused(keys: tuple[str, ...]) -> None:
    with pytest.raises(IdempotencyKeyMissing, match="1 to 64") as caught:
        key_of(*keys)
    assert caught.value.field == HEADER
