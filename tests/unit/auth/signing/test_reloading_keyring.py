import asyncio
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from services.auth.signing.keyring import create_key, load_keyring
from services.auth.signing.reloading_keyring import ReloadingKeyring
from shared.errors import Unauthenticated
from tests.unit.auth.fakes import FakeClock


@pytest.fixture
def keys(tmp_path: Path, clock: FakeClock) -> ReloadingKeyring:
    keyring = load_keyring(tmp_path, clock, publish_secs=300, create_missing=True)
    return ReloadingKeyring(keyring, tmp_path, clock, reload_secs=1)


async def test_only_published_keys_are_found_by_their_id(keys: ReloadingKeyring) -> None:
    assert (await keys.find(keys.signing().kid)).key_id == keys.signing().kid
    with pytest.raises(Unauthenticated, match="unknown key"):
        await keys.find("another")


async def test_a_rotation_takes_effect_without_a_restart(
    keys: ReloadingKeyring, tmp_path: Path, clock: FakeClock
) -> None:
    old = keys.signing().kid
    clock.advance(86_400)
    new = (await asyncio.to_thread(create_key, tmp_path, clock)).stem
    await keys.reload()
    assert [jwk["kid"] for jwk in keys.jwks()["keys"]] == [old, new]
    assert (await keys.find(new)).key_id == new
    assert keys.signing().kid == old
    clock.advance(300)
    assert keys.signing().kid == new
    clock.advance(4_000)
    assert [jwk["kid"] for jwk in keys.jwks()["keys"]] == [new]
    with pytest.raises(Unauthenticated):
        await keys.find(old)


async def test_the_current_keys_stay_in_use_if_the_directory_cannot_be_read(
    keys: ReloadingKeyring, tmp_path: Path
) -> None:
    kid = keys.signing().kid
    (tmp_path / "99991231.pem").write_text("not a key")
    await keys.reload()
    assert keys.signing().kid == kid


async def test_the_age_of_the_key_that_signs_is_a_metric(
    keys: ReloadingKeyring, tmp_path: Path, clock: FakeClock
) -> None:
    def created_secs() -> float | None:
        return REGISTRY.get_sample_value("tradedad_auth_signing_key_created_timestamp_seconds")

    first_secs = clock.now_ms() / 1_000
    assert created_secs() == first_secs
    clock.advance(86_400)
    second_secs = clock.now_ms() / 1_000
    await asyncio.to_thread(create_key, tmp_path, clock)
    await keys.reload()
    assert created_secs() == first_secs, "the new key does not sign yet"
    clock.advance(300)
    await keys.reload()
    assert created_secs() == second_secs
