import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt import PyJWKSet

from services.auth.settings import MAX_ACCESS_TTL_SECS
from services.auth.signing.keyring import create_key, load_keyring
from shared.errors import ConfigError
from tests.unit.auth.fakes import FakeClock


def test_a_missing_key_is_an_error_that_names_the_setting_and_the_remedy(
    tmp_path: Path, clock: FakeClock
) -> None:
    for directory in (tmp_path, tmp_path / "not" / "there"):
        with pytest.raises(ConfigError) as raised:
            load_keyring(directory, clock, publish_secs=0)
        assert "TRADEDAD_AUTH_KEYS_DIR" in str(raised.value)
        assert "TRADEDAD_AUTH_CREATE_MISSING_KEY=true" in str(raised.value)


def test_a_missing_key_is_created_once_if_that_is_allowed(tmp_path: Path, clock: FakeClock) -> None:
    directory = tmp_path / "keys"
    first = load_keyring(directory, clock, publish_secs=0, create_missing=True)
    again = load_keyring(directory, clock, publish_secs=0, create_missing=True)
    assert [key.kid for key in again.keys] == [key.kid for key in first.keys]
    assert len(first.keys) == 1


def test_a_key_file_is_readable_by_its_owner_only_and_leaves_no_draft(
    tmp_path: Path, clock: FakeClock
) -> None:
    path = create_key(tmp_path / "keys", clock)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_a_single_key_signs_at_once(tmp_path: Path, clock: FakeClock) -> None:
    keyring = load_keyring(tmp_path, clock, publish_secs=300, create_missing=True)
    assert keyring.signing(clock.epoch_ms) is keyring.keys[0]
    assert keyring.published(clock.epoch_ms) == list(keyring.keys)


def test_a_new_key_is_published_at_once_and_signs_after_the_publish_time(
    tmp_path: Path, clock: FakeClock
) -> None:
    old = create_key(tmp_path, clock).stem
    clock.advance(86_400)
    new = create_key(tmp_path, clock).stem
    keyring = load_keyring(tmp_path, clock, publish_secs=300)
    created_at_ms = clock.epoch_ms
    assert [key.kid for key in keyring.published(created_at_ms)] == [old, new]
    assert keyring.signing(created_at_ms + 299_999).kid == old
    assert keyring.signing(created_at_ms + 300_000).kid == new


def test_an_old_key_is_published_until_its_last_token_has_expired(
    tmp_path: Path, clock: FakeClock
) -> None:
    old = create_key(tmp_path, clock).stem
    clock.advance(86_400)
    new = create_key(tmp_path, clock).stem
    keyring = load_keyring(tmp_path, clock, publish_secs=300)
    last_signed_ms = clock.epoch_ms + 300_000
    max_ttl_ms = MAX_ACCESS_TTL_SECS * 1_000
    assert [key.kid for key in keyring.published(last_signed_ms + max_ttl_ms)] == [old, new]
    assert [key.kid for key in keyring.published(last_signed_ms + max_ttl_ms + 60_001)] == [new]


def test_a_key_without_a_time_in_its_name_is_as_old_as_its_file(
    tmp_path: Path, clock: FakeClock
) -> None:
    created = create_key(tmp_path, clock)
    renamed = created.with_name("2026-november.pem")
    created.rename(renamed)
    os.utime(renamed, (1_000, 1_000))
    (key,) = load_keyring(tmp_path, clock, publish_secs=300).keys
    assert (key.kid, key.created_at_ms) == ("2026-november", 1_000_000)


def test_two_keys_created_at_the_same_time_have_different_names(
    tmp_path: Path, clock: FakeClock
) -> None:
    assert create_key(tmp_path, clock) != create_key(tmp_path, clock)


def test_the_published_key_set_contains_public_keys_only(tmp_path: Path, clock: FakeClock) -> None:
    kid = create_key(tmp_path, clock).stem
    jwks = load_keyring(tmp_path, clock, publish_secs=0).jwks(clock.epoch_ms)
    assert [sorted(key) for key in jwks["keys"]] == [["alg", "crv", "kid", "kty", "use", "x"]]
    assert [key.key_id for key in PyJWKSet.from_dict(jwks).keys] == [kid]


def test_a_file_that_is_not_an_ed25519_key_is_named_in_the_error(
    tmp_path: Path, clock: FakeClock
) -> None:
    other_kind = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    for content in (b"", b"not a key", other_kind):
        (tmp_path / "odd.pem").write_bytes(content)
        with pytest.raises(ConfigError, match=r"odd\.pem is not an unencrypted Ed25519"):
            load_keyring(tmp_path, clock, publish_secs=0, create_missing=True)


def test_a_file_whose_name_has_an_impossible_time_is_named_in_the_error(
    tmp_path: Path, clock: FakeClock
) -> None:
    create_key(tmp_path, clock).rename(tmp_path / "20261331T000000000Z-b.pem")
    with pytest.raises(ConfigError, match=r"20261331T000000000Z-b\.pem: the name begins with"):
        load_keyring(tmp_path, clock, publish_secs=0)


def test_an_unreadable_directory_is_a_configuration_error(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="TRADEDAD_AUTH_KEYS_DIR"):
        load_keyring(tmp_path / "file", clock, publish_secs=0)


def test_the_private_key_is_not_in_the_repr_of_a_keyring(tmp_path: Path, clock: FakeClock) -> None:
    keyring = load_keyring(tmp_path, clock, publish_secs=0, create_missing=True)
    assert "private" not in repr(keyring)
