from pathlib import Path

import pytest

from services.auth.keyring import Keyring, load_keyring
from services.auth.own_keys import OwnKeys
from shared.errors import Unauthenticated
from tests.unit.auth.conftest import StoppedClock


@pytest.fixture
def keyring(tmp_path: Path, clock: StoppedClock) -> Keyring:
    return load_keyring(tmp_path, clock, create_missing=True)


async def test_our_keys_are_found_by_name_and_no_others(keyring: Keyring) -> None:
    keys = OwnKeys(keyring)
    assert (await keys.find(keyring.signing_kid)).key_id == keyring.signing_kid
    with pytest.raises(Unauthenticated, match="unknown key"):
        await keys.find("another")
