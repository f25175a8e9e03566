"""Password hashes, made on threads of their own.

A stored hash is ``v1$`` and bcrypt(base64(HMAC-SHA384(pepper, password))). The HMAC lifts
bcrypt's limit of 72 bytes, and without the pepper a stolen table cannot be guessed at.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import bcrypt
from pydantic import SecretStr

from services.auth import metrics
from shared.errors import Overloaded

SCHEME: Final = "v1$"
# What bcrypt writes after the salt: 23 bytes in its own base64.
_DIGEST_CHARS: Final = 31

T = TypeVar("T")


class BcryptHasher:
    """Hashes with `cost` on `workers` threads; `queue` more may wait, the rest are refused.

    The threads run `niceness` steps behind all else on the machine (Linux): whoever floods
    us with logins must not slow down those who are in.
    """

    def __init__(
        self, pepper: SecretStr, *, cost: int, workers: int, queue: int, niceness: int = 0
    ) -> None:
        self._pepper = pepper.get_secret_value().encode()
        self._cost = cost
        self._pool = ThreadPoolExecutor(
            workers, thread_name_prefix="bcrypt", initializer=_step_back, initargs=(niceness,)
        )
        # Given back when the thread is done, not when the caller is: a caller that
        # was cancelled leaves a hash running.
        self._slots = threading.BoundedSemaphore(workers + queue)
        # A well-formed hash that no password has; checking it takes as long as any other.
        self._nobody = bcrypt.gensalt(cost) + b"." * _DIGEST_CHARS

    def check_room(self) -> None:
        """Raises Overloaded if the queue is full: nothing else need be done for the caller then."""
        self._take_slot()
        self._slots.release()

    async def hash(self, password: SecretStr) -> str:
        """The hash to store; raises Overloaded when the queue is full."""
        return await self._on_thread(lambda: self._hash(password))

    async def matches(self, password: SecretStr, stored: str | None) -> bool:
        """Whether `stored` is a hash of `password`; None takes as long and is False.

        Raises Overloaded when the queue is full, ValueError if `stored` is of a scheme
        we do not know.
        """
        if stored is None:
            expected = self._nobody
        elif stored.startswith(SCHEME):
            expected = stored.removeprefix(SCHEME).encode()
        else:
            raise ValueError("the stored password hash is of an unknown scheme")
        return await self._on_thread(lambda: bcrypt.checkpw(self._prehash(password), expected))

    def is_outdated(self, stored: str) -> bool:
        """Whether a new hash would be of another cost or scheme."""
        return not stored.startswith(f"{SCHEME}$2b${self._cost:02}$")

    def close(self) -> None:
        """Drop what waits, and wait for what runs; blocks for up to one hash."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _hash(self, password: SecretStr) -> str:
        return SCHEME + bcrypt.hashpw(self._prehash(password), bcrypt.gensalt(self._cost)).decode()

    def _prehash(self, password: SecretStr) -> bytes:
        # A lone surrogate is never in a stored password; at login it is only wrong.
        received = password.get_secret_value().encode(errors="surrogatepass")
        return base64.b64encode(hmac.digest(self._pepper, received, hashlib.sha384))

    async def _on_thread(self, work: Callable[[], T]) -> T:
        self._take_slot()
        metrics.HASH_QUEUE.inc()
        future = self._pool.submit(_timed, work)
        future.add_done_callback(self._give_back)
        return await asyncio.wrap_future(future)

    def _take_slot(self) -> None:
        if not self._slots.acquire(blocking=False):
            raise Overloaded("too many logins at once; try again shortly", retry_after_secs=2)

    def _give_back(self, _: "Future[Any]") -> None:
        metrics.HASH_QUEUE.dec()
        self._slots.release()


def _step_back(niceness: int) -> None:
    """Let other threads of this machine go first; elsewhere than on Linux it is all or none."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


def _timed(work: Callable[[], T]) -> T:
    with metrics.HASH_SECONDS.time():
        return work()


@asynccontextmanager
async def open_hasher(
    pepper: SecretStr, *, cost: int, workers: int, queue: int, niceness: int = 0
) -> AsyncIterator[BcryptHasher]:
    """A hasher whose threads are gone afterwards."""
    hasher = BcryptHasher(pepper, cost=cost, workers=workers, queue=queue, niceness=niceness)
    try:
        yield hasher
    finally:
        await asyncio.to_thread(hasher.close)
