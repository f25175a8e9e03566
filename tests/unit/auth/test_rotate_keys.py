from pathlib import Path

import pytest

from services.auth.rotate_keys import RotationPending, rotate
from services.auth.signing.keyring import create_key
from tests.unit.auth.conftest import StoppedClock

DAY_MS = 86_400_000


def names(directory: Path) -> list[str]:
    return sorted(path.stem for path in directory.iterdir())


def test_a_rotation_adds_a_key_and_keeps_the_one_that_signs(
    tmp_path: Path, clock: StoppedClock
) -> None:
    old = create_key(tmp_path, clock).stem
    clock.at_ms += DAY_MS
    keyring, removed = rotate(tmp_path, clock, publish_secs=300)
    assert removed == []
    assert names(tmp_path) == [key.kid for key in keyring.keys]
    assert keyring.signing(clock.at_ms).kid == old


def test_the_next_rotation_removes_what_nobody_needs(tmp_path: Path, clock: StoppedClock) -> None:
    old = create_key(tmp_path, clock).stem
    clock.at_ms += DAY_MS
    rotate(tmp_path, clock, publish_secs=300)
    clock.at_ms += DAY_MS
    keyring, removed = rotate(tmp_path, clock, publish_secs=300)
    assert removed == [old]
    assert names(tmp_path) == [key.kid for key in keyring.keys]
    assert len(keyring.keys) == 2


def test_a_rotation_waits_for_the_last_one(tmp_path: Path, clock: StoppedClock) -> None:
    create_key(tmp_path, clock)
    clock.at_ms += DAY_MS
    rotate(tmp_path, clock, publish_secs=300)
    with pytest.raises(RotationPending, match="signs from"):
        rotate(tmp_path, clock, publish_secs=300)
    assert len(names(tmp_path)) == 2
