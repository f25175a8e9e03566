from pathlib import Path

import pytest

from services.auth.rotate_keys import RotationPending, rotate
from services.auth.signing.keyring import create_key
from tests.unit.auth.fakes import FakeClock

DAY_SECS = 86_400


def key_names(directory: Path) -> list[str]:
    return sorted(path.stem for path in directory.iterdir())


def test_a_rotation_adds_a_key_and_keeps_the_signing_key(tmp_path: Path, clock: FakeClock) -> None:
    old = create_key(tmp_path, clock).stem
    clock.advance(DAY_SECS)
    keyring, removed = rotate(tmp_path, clock, publish_secs=300)
    assert removed == []
    assert key_names(tmp_path) == [key.kid for key in keyring.keys]
    assert keyring.signing(clock.epoch_ms).kid == old


def test_the_next_rotation_removes_retired_keys(tmp_path: Path, clock: FakeClock) -> None:
    old = create_key(tmp_path, clock).stem
    clock.advance(DAY_SECS)
    rotate(tmp_path, clock, publish_secs=300)
    clock.advance(DAY_SECS)
    keyring, removed = rotate(tmp_path, clock, publish_secs=300)
    assert removed == [old]
    assert key_names(tmp_path) == [key.kid for key in keyring.keys]
    assert len(keyring.keys) == 2


def test_a_rotation_is_refused_while_the_previous_one_is_pending(
    tmp_path: Path, clock: FakeClock
) -> None:
    create_key(tmp_path, clock)
    clock.advance(DAY_SECS)
    rotate(tmp_path, clock, publish_secs=300)
    with pytest.raises(RotationPending, match="signs from"):
        rotate(tmp_path, clock, publish_secs=300)
    assert len(key_names(tmp_path)) == 2
