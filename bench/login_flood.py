"""Floods auth with logins: ``python -m bench.login_flood URL LOGINS_PER_SEC``, until stopped.

Each comes from another address and for another account, half of them with wrong passwords of
accounts that exist, so that no throttle spares auth the work. It stands back for all else on
the machine: whoever floods us would do it from machines of their own.
"""

import asyncio
import itertools
import json
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import aiohttp

_NICENESS: Final = 19
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)


async def flood(url: str, logins_per_sec: float, counts: Counter[int]) -> None:
    """Sends them evenly, whether or not earlier ones were answered; at most 500 wait."""
    room = asyncio.Semaphore(500)
    numbers = random.Random(1)

    async def log_in(http: aiohttp.ClientSession, number: int) -> None:
        address = f"100.{numbers.randrange(64, 128)}.{number >> 8 & 255}.{number & 255}"
        body = {"email": f"flood-{number}@example.com", "password": "not the right password"}
        headers = {"X-Forwarded-For": address}
        try:
            async with http.post(f"{url}/auth/login", json=body, headers=headers) as response:
                counts[response.status] += 1
        except (aiohttp.ClientError, TimeoutError):
            counts[0] += 1
        finally:
            room.release()

    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(timeout=_TIMEOUT, connector=connector) as http,
        asyncio.TaskGroup() as group,
    ):
        next_at = asyncio.get_running_loop().time()
        for number in itertools.count():
            await room.acquire()
            group.create_task(log_in(http, number))
            next_at += 1 / logins_per_sec
            await asyncio.sleep(next_at - asyncio.get_running_loop().time())


async def _until_stopped(url: str, logins_per_sec: float) -> None:
    counts: Counter[int] = Counter()
    task = asyncio.create_task(flood(url, logins_per_sec, counts))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await asyncio.wait([task])
    print(json.dumps({str(status): count for status, count in sorted(counts.items())}))
    if not task.cancelled():
        task.result()


def _stand_back() -> None:
    """For ourselves, and for our session: Linux may share a machine out by session first."""
    os.nice(_NICENESS)
    group = Path("/proc/self/autogroup")
    if group.exists():
        group.write_text(str(_NICENESS))


if __name__ == "__main__":
    _stand_back()
    asyncio.run(_until_stopped(sys.argv[1], float(sys.argv[2])))
