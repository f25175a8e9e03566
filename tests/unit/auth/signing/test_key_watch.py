import asyncio
from pathlib import Path

import pytest

from services.auth.signing.key_watch import KeyWatcher
from services.auth.signing.keyring import create_key, load_keyring
from shared.errors import Unauthenticated
from tests.unit.auth.conftest import StoppedClock


@pytest.fixture
def keys(tmp_path: Path, clock: StoppedClock) -> KeyWatcher:
    keyring = load_keyring(tmp_path, clock, publish_secs=300, create_missing=True)
    return KeyWatcher(keyring, tmp_path, clock, reload_secs=1)


async def test_our_keys_are_found_by_name_and_no_others(keys: KeyWatcher) -> None:
    assert (await keys.find(keys.signing().kid)).key_id == keys.signing().kid
    with pytest.raises(Unauthenticated, match="unknown key"):
        await keys.find("another")


async def test_a_rotation_is_taken_up_without_a_restart(
    keys: KeyWatcher, tmp_path: Path, clock: StoppedClock
) -> None:
    old = keys.signing().kid
    clock.at_ms += 86_400_000
    new = (await asyncio.to_thread(create_key, tmp_path, clock)).stem
    await keys.reload()
    assert [jwk["kid"] for jwk in keys.jwks()["keys"]] == [old, new]
    assert (await keys.find(new)).key_id == new
    assert keys.signing().kid == old
    clock.at_ms += 300_000
    assert keys.signing().kid == new
    clock.at_ms += 4_000_000
    assert [jwk["kid"] for jwk in keys.jwks()["keys"]] == [new]
    with pytest.raises(Unauthenticated):
        await keys.find(old)


async def test_a_folder_that_cannot_be_read_changes_nothing(
    keys: KeyWatcher, tmp_path: Path
) -> None:
    kid = keys.signing().kid
    (tmp_path / "99991231.pem").write_text("not a key")
    await keys.reload()
    assert keys.signing().kid == kid
