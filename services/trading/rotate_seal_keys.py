"""Rotates the sealing keys: ``python -m operations keys rotate-sealing``.

Makes a new key and seals all secrets with it.

Running processes read the keys by themselves. An interrupted rotation is finished by the next
call, which makes no further key. With ``--no-new-key`` it only seals with the newest key: for a
directory that this machine must not change, to which you have added a key yourself.
"""

import argparse
import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from services.trading.links.resealing import Resealed, reseal, seal_keys_in_use
from services.trading.links.seal_keys import (
    DIRECTORY_VARIABLE,
    create_seal_key,
    load_key_ring,
)
from services.trading.settings import TradingSettings
from shared.errors import ConfigError
from shared.runtime import exit_codes
from shared.runtime.clock import Clock, SystemClock
from shared.runtime.mongo import Mongo
from shared.runtime.mongo_command import command_mongo
from shared.runtime.settings import load


@dataclass(frozen=True, slots=True)
class Rotation:
    """Result of a rotation."""

    key_id: str
    is_new: bool
    resealed: Resealed
    unused: list[str]
    """Older keys that no document needs."""


async def rotate(directory: Path, mongo: Mongo, clock: Clock, *, may_create: bool) -> Rotation:
    """Rotate. Raises ConfigError or PyMongoError; repeat it then."""
    is_new = may_create and not await asyncio.to_thread(_has_key, directory)
    if is_new:
        await asyncio.to_thread(_create, directory, clock)
    ring = await asyncio.to_thread(load_key_ring, directory)
    resealed = await reseal(mongo, ring)
    if may_create and not is_new and not resealed.count:  # no rotation was unfinished
        is_new = True
        await asyncio.to_thread(_create, directory, clock)
        ring = await asyncio.to_thread(load_key_ring, directory)
        resealed = await reseal(mongo, ring)
    in_use = await seal_keys_in_use(mongo)
    unused = [key_id for key_id in sorted(ring.keys) if key_id not in {*in_use, ring.newest}]
    return Rotation(ring.newest, is_new, resealed, unused)


def _has_key(directory: Path) -> bool:
    return directory.is_dir() and any(directory.glob("*.key"))


def _create(directory: Path, clock: Clock) -> None:
    try:
        create_seal_key(directory, clock)
    except OSError as error:
        problem = f"{DIRECTORY_VARIABLE}: {error.filename or directory}: {error.strerror}"
        raise ConfigError([problem]) from None


async def _run(settings: TradingSettings, *, may_create: bool) -> Rotation:
    directory = settings.keys_dir
    if directory is None:
        raise ConfigError([f"{DIRECTORY_VARIABLE} is not set"])
    async with command_mongo(settings.mongo) as mongo:
        return await rotate(directory, mongo, SystemClock(), may_create=may_create)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--no-new-key", action="store_true", help="only seal with the newest key")


def run(arguments: argparse.Namespace) -> int:
    """Create a key for the secrets of Upstox accounts, and seal all of them with it."""
    settings = load(TradingSettings)
    rotation = asyncio.run(_run(settings, may_create=not arguments.no_new_key))
    print(f"{rotation.key_id} {'was created and ' if rotation.is_new else ''}seals now")
    print(f"{rotation.resealed.count} secrets were sealed again")
    for document in rotation.resealed.broken:
        print(f"{document} cannot be opened: its user must link the account again", file=sys.stderr)
    for key_id in rotation.unused:
        print(f"{key_id} seals nothing any more: check it with --no-new-key, then remove its file")
    return exit_codes.OK
