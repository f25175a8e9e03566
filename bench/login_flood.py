"""Sends logins to auth at a fixed rate: ``python -m bench.login_flood URL LOGINS_PER_SEC``.

Each login comes from another address and is for another account, so that no rate limit saves
auth the work of the hash. No account exists, which makes no difference: auth computes a hash for
an unknown account as well. The process runs until SIGTERM and then prints the number of
responses by status as JSON. It runs at the lowest priority, since a real attacker would use other
machines.
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
_MAX_PENDING: Final = 500
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)


async def flood(url: str, logins_per_sec: float, counts: Counter[int]) -> None:
    """Send logins at this rate and count the responses by status; 0 counts failed requests.

    A login does not wait for the responses of earlier ones, up to 500 pending requests.
    """
    pending_slots = asyncio.Semaphore(_MAX_PENDING)
    random_numbers = random.Random(1)

    async def log_in(http: aiohttp.ClientSession, number: int) -> None:
        address = f"100.{random_numbers.randrange(64, 128)}.{number >> 8 & 255}.{number & 255}"
        body = {"email": f"flood-{number}@example.com", "password": "not the right password"}
        headers = {"X-Forwarded-For": address}
        try:
            async with http.post(f"{url}/auth/login", json=body, headers=headers) as response:
                counts[response.status] += 1
        except (aiohttp.ClientError, TimeoutError):
            counts[0] += 1
        finally:
            pending_slots.release()

    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(timeout=_TIMEOUT, connector=connector) as http,
        asyncio.TaskGroup() as group,
    ):
        next_at = asyncio.get_running_loop().time()
        for number in itertools.count():
            await pending_slots.acquire()
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


def _lower_priority() -> None:
    """Raise the niceness of this process and of its session.

    With autogrouping, Linux divides CPU time between sessions before it considers processes.
    """
    os.nice(_NICENESS)
    group = Path("/proc/self/autogroup")
    if group.exists():
        group.write_text(str(_NICENESS))


if __name__ == "__main__":
    _lower_priority()
    asyncio.run(_until_stopped(sys.argv[1], float(sys.argv[2])))
