"""Files of sealing keys: how they are created, read and refused."""

import asyncio
import base64
import stat
from pathlib import Path

import pytest

from services.trading.links.seal_keys import SealKeys, create_seal_key, load_key_ring
from services.trading.links.sealing import Place, SealBroken, key_of
from shared.errors import ConfigError
from shared.runtime.clock import SystemClock
from tests.support.clocks import OffClock

PLACE = Place("upstox_links", "user-1", "token")


def test_a_created_key_is_private_and_sorts_after_older_ones(tmp_path: Path) -> None:
    first = create_seal_key(tmp_path / "keys", SystemClock())
    second = create_seal_key(tmp_path / "keys", OffClock(60.0))
    assert load_key_ring(tmp_path / "keys").newest == second.stem
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert sorted(tmp_path.glob("keys/*")) == [first, second]


async def test_keys_that_are_added_or_removed_need_no_restart(tmp_path: Path) -> None:
    first = await asyncio.to_thread(create_seal_key, tmp_path, SystemClock())
    keys = SealKeys(tmp_path)
    sealed = await keys.seal("secret", PLACE)
    newer = tmp_path / "99999999T000000000Z-new.key"
    newer.write_text(base64.b64encode(bytes(32)).decode())
    fresh = await SealKeys(tmp_path).seal("secret", PLACE)
    assert key_of(fresh) == newer.stem
    assert await keys.open(fresh, PLACE) == "secret"
    first.unlink()
    with pytest.raises(SealBroken, match=first.stem):
        await SealKeys(tmp_path).open(sealed, PLACE)


async def test_a_directory_that_is_not_set_is_named() -> None:
    with pytest.raises(ConfigError, match="TRADEDAD_TRADING_KEYS_DIR is not set"):
        await SealKeys(None).check()


def test_a_directory_without_keys_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="rotate-sealing"):
        load_key_ring(tmp_path)
    with pytest.raises(ConfigError, match=r"TRADEDAD_TRADING_KEYS_DIR: .*absent: No such file"):
        load_key_ring(tmp_path / "absent")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("k.key", ""),
        ("k.key", base64.b64encode(bytes(31)).decode()),
        ("k.key", "é" * 44),
        ("k.key", "A" * 100_000),
        ("a b.key", base64.b64encode(bytes(32)).decode()),
    ],
)
def test_a_file_that_is_not_a_key_is_named_and_not_quoted(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match=name) as caught:
        load_key_ring(tmp_path)
    assert not content or content not in str(caught.value)


def test_other_files_are_ignored(tmp_path: Path) -> None:
    key = create_seal_key(tmp_path, SystemClock())
    (tmp_path / "README").write_text("not a key")
    (tmp_path / "half.draft").write_text("not a key")
    assert set(load_key_ring(tmp_path).keys) == {key.stem}
