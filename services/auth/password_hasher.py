"""Password hashes with bcrypt, computed on dedicated threads.

A stored hash is ``v1$`` followed by bcrypt(base64(HMAC-SHA384(pepper, password))). The HMAC
removes bcrypt's limit of 72 bytes. Without the pepper, the passwords of a stolen table cannot
be guessed.
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
# The length of the digest after the salt: 23 bytes in bcrypt's base64.
_DIGEST_CHARS: Final = 31

T = TypeVar("T")


class BcryptHasher:
    """Hashes with bcrypt's `cost` on `workers` threads; `queue` further hashes may wait.

    On Linux the threads run with the given niceness, so that a flood of logins does not slow
    down other processes of the machine.
    """

    def __init__(
        self, pepper: SecretStr, *, cost: int, workers: int, queue: int, niceness: int = 0
    ) -> None:
        self._pepper = pepper.get_secret_value().encode()
        self._cost = cost
        self._pool = ThreadPoolExecutor(
            workers,
            thread_name_prefix="bcrypt",
            initializer=_set_thread_niceness,
            initargs=(niceness,),
        )
        # A slot is released when the thread is done, not when the caller is: the hash of a
        # cancelled caller continues to run.
        self._slots = threading.BoundedSemaphore(workers + queue)
        # A well-formed hash that no password has; its check takes as long as any other.
        self._dummy_hash = bcrypt.gensalt(cost) + b"." * _DIGEST_CHARS

    def check_capacity(self) -> None:
        """Raises Overloaded if the queue is full, before other work is done for the request."""
        self._take_slot()
        self._slots.release()

    async def hash(self, password: SecretStr, check: Callable[[], None] | None = None) -> str:
        """Return a hash to store. `check` runs first, on the same thread, and its errors are raised.

        Raises Overloaded if the queue is full.
        """
        return await self._on_thread(lambda: self._hash(password, check))

    async def matches(self, password: SecretStr, stored: str | None) -> bool:
        """Whether `stored` is a hash of `password`; None takes the same time and is False.

        Raises Overloaded if the queue is full, ValueError if `stored` has an unknown scheme.
        """
        if stored is None:
            expected = self._dummy_hash
        elif stored.startswith(SCHEME):
            expected = stored.removeprefix(SCHEME).encode()
        else:
            raise ValueError("the stored password hash has an unknown scheme")
        return await self._on_thread(lambda: self._matches(password, expected))

    def is_outdated(self, stored: str) -> bool:
        """Whether a new hash would have another cost or scheme."""
        return not stored.startswith(f"{SCHEME}$2b${self._cost:02}$")

    def close(self) -> None:
        """Cancel waiting hashes and wait for running ones; blocks for up to the time of one hash."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _hash(self, password: SecretStr, check: Callable[[], None] | None) -> str:
        if check is not None:
            check()
        with metrics.HASH_SECONDS.time():
            hashed = bcrypt.hashpw(self._prehash(password), bcrypt.gensalt(self._cost))
        return SCHEME + hashed.decode()

    def _matches(self, password: SecretStr, expected: bytes) -> bool:
        with metrics.HASH_SECONDS.time():
            return bcrypt.checkpw(self._prehash(password), expected)

    def _prehash(self, password: SecretStr) -> bytes:
        # The policy refuses lone surrogates in new passwords; at a login they are just wrong.
        encoded = password.get_secret_value().encode(errors="surrogatepass")
        return base64.b64encode(hmac.digest(self._pepper, encoded, hashlib.sha384))

    async def _on_thread(self, work: Callable[[], T]) -> T:
        self._take_slot()
        metrics.PENDING_HASHES.inc()
        future = self._pool.submit(work)
        future.add_done_callback(self._release_slot)
        return await asyncio.wrap_future(future)

    def _take_slot(self) -> None:
        if not self._slots.acquire(blocking=False):
            raise Overloaded(
                "too many logins are in progress; try again shortly", retry_after_secs=2
            )

    def _release_slot(self, _: "Future[Any]") -> None:
        metrics.PENDING_HASHES.dec()
        self._slots.release()


def _set_thread_niceness(niceness: int) -> None:
    """Lower this thread's priority (Linux; elsewhere niceness is per process)."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


@asynccontextmanager
async def open_hasher(
    pepper: SecretStr, *, cost: int, workers: int, queue: int, niceness: int = 0
) -> AsyncIterator[BcryptHasher]:
    """Yield a hasher; its threads have ended when the block is left."""
    hasher = BcryptHasher(pepper, cost=cost, workers=workers, queue=queue, niceness=niceness)
    try:
        yield hasher
    finally:
        await asyncio.to_thread(hasher.close)
