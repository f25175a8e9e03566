import pytest
from pydantic import SecretStr

from services.auth.core.devices import Devices
from services.auth.core.pseudonyms import Pseudonyms

DEVICES = Devices(Pseudonyms(SecretStr("p" * 32)))


def test_a_device_is_known_again_by_its_token() -> None:
    token = DEVICES.new("ann")
    device = DEVICES.known("ann", token)
    assert device is not None
    assert token.startswith(f"{device}.")
    assert DEVICES.known("ann", DEVICES.new("ann")) not in {None, device}


def test_a_token_counts_for_its_account_only_and_only_from_us() -> None:
    token = DEVICES.new("ann")
    assert DEVICES.known("bob", token) is None
    other = Devices(Pseudonyms(SecretStr("q" * 32)))
    assert other.known("ann", token) is None


@pytest.mark.parametrize("token", [None, "", ".", "x", "x.", ".x", "x.y", "ü.ü", "x" * 999])
def test_anything_else_is_a_strangers(token: str | None) -> None:
    assert DEVICES.known("ann", token) is None
