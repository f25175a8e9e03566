"""Reads and creates the files of the sealing keys.

Each key is a file ``<key id>.key`` with the base64 of 32 random bytes. A key id begins with the
time of its creation, so that ids sort by age.
"""

import asyncio
import base64
import binascii
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from services.trading.links.sealing import KEY_BYTES, KEY_ID, KeyRing, Place, UnknownSealKey
from shared.errors import ConfigError
from shared.market.exchange_time import to_datetime
from shared.runtime.clock import Clock

DIRECTORY_VARIABLE: Final = "TRADEDAD_TRADING_KEYS_DIR"
_SUFFIX: Final = ".key"
_OWNER_ONLY: Final = stat.S_IRUSR | stat.S_IWUSR
_MAX_FILE_BYTES: Final = 1_024


class SealKeys:
    """The key ring of a directory.

    The files are read each time a value is sealed, and again if a key is missing: sealing is
    rare, and so a rotation needs no restart. All methods raise ConfigError if the directory
    cannot be used.
    """

    def __init__(self, directory: Path | None) -> None:
        """None if the operator has not set up the linking of accounts."""
        self._directory = directory
        self._ring: KeyRing | None = None

    async def check(self) -> None:
        """Read the directory."""
        await self._read()

    async def seal(self, plaintext: str, place: Place) -> str:
        """Seal with the newest key."""
        return (await self._read()).seal(plaintext, place)

    async def open(self, sealed: str, place: Place) -> str:
        """The plaintext. Raises SealBroken."""
        ring = self._ring or await self._read()
        try:
            return ring.open(sealed, place)
        except UnknownSealKey:
            return (await self._read()).open(sealed, place)

    async def _read(self) -> KeyRing:
        if self._directory is None:
            raise ConfigError([f"{DIRECTORY_VARIABLE} is not set"])
        self._ring = await asyncio.to_thread(load_key_ring, self._directory)
        return self._ring


def load_key_ring(directory: Path) -> KeyRing:
    """Read every key in `directory`; blocks on the disk.

    Raises ConfigError if there is none, if a file is not a key, or if one cannot be read.
    """
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix == _SUFFIX)
        keys = {path.stem: _read_key(path) for path in paths}
    except OSError as error:
        problem = f"{DIRECTORY_VARIABLE}: {error.filename or directory}: {error.strerror}"
        raise ConfigError([problem]) from None
    if not keys:
        problem = f"{DIRECTORY_VARIABLE}: {directory} contains no sealing key (*{_SUFFIX}); "
        remedy = "create one with: python -m operations keys rotate-sealing"
        raise ConfigError([problem + remedy])
    return KeyRing(keys)


def create_seal_key(directory: Path, clock: Clock) -> Path:
    """Create a key whose id sorts after every older one; blocks on the disk.

    The file is written completely or not at all. Raises OSError.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    now_ms = clock.now_ms()
    created_at = to_datetime(now_ms).strftime("%Y%m%dT%H%M%S")
    path = directory / f"{created_at}{now_ms % 1_000:03}Z-{secrets.token_hex(4)}{_SUFFIX}"
    draft = path.with_suffix(".draft")
    draft.touch(_OWNER_ONLY, exist_ok=False)
    try:
        with draft.open("wb") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync(directory)
    return path


def _read_key(path: Path) -> bytes:
    with path.open("rb") as file:
        text = file.read(_MAX_FILE_BYTES).strip()
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError([f"{DIRECTORY_VARIABLE}: {path} is not the base64 of {KEY_BYTES} bytes"])
    if not KEY_ID.fullmatch(path.stem):
        rule = "a key's name has letters, digits, _ and - only, at most 64"
        raise ConfigError([f"{DIRECTORY_VARIABLE}: {path}: {rule}"])
    return key


def _sync(directory: Path) -> None:
    # A new file name is durable only after its directory was synchronised.
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
