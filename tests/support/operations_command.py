"""Runs ``python -m operations`` in a process of its own."""

import asyncio
import os
import sys

from shared.runtime.settings import MongoSettings
from tests.support.settings import process_environment


async def operations(settings: MongoSettings, *arguments: str) -> tuple[int, str]:
    """The exit code and the output of a command on a test's database."""
    environment = {
        "TRADEDAD_MONGO_URL": settings.url.get_secret_value(),
        "TRADEDAD_MONGO_DATABASE": settings.database,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "operations", *arguments,
        env=os.environ | process_environment() | environment, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode().strip()
