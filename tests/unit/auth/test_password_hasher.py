import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator

import bcrypt
import pytest
from pydantic import SecretStr

from services.auth import metrics
from services.auth.password_hasher import BcryptHasher, open_hasher
from shared.errors import InvalidField, Overloaded
from tests.support.patience import PATIENCE_SECS

PEPPER = SecretStr("p" * 32)
COST = 4


@pytest.fixture
async def hasher() -> AsyncIterator[BcryptHasher]:
    async with open_hasher(PEPPER, cost=COST, workers=1, queue=1) as hasher:
        yield hasher


class Gate:
    """Blocks every hash check on its thread until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = threading.Event()
        self.checked: list[bytes] = []
        monkeypatch.setattr(bcrypt, "checkpw", self._check)

    def _check(self, password: bytes, hashed: bytes) -> bool:
        self.checked.append(hashed)
        return self.open.wait(PATIENCE_SECS)


def pending_hashes() -> float:
    # The registry is not used here, since it also reads /proc.
    [metric] = metrics.PENDING_HASHES.collect()
    return metric.samples[0].value


@pytest.mark.parametrize(
    "password",
    ["a" * 73, "a" * 128, "ü" * 64, "🔑" * 40, "पासवर्ड " * 10, "with \0 inside"],
    ids=["73 bytes", "128 bytes", "umlauts", "emoji", "devanagari", "NUL"],
)
async def test_every_byte_of_a_password_counts_beyond_the_72_of_bcrypt(
    hasher: BcryptHasher, password: str
) -> None:
    stored = await hasher.hash(SecretStr(password))
    assert stored.startswith("v1$$2b$04$")
    assert await hasher.matches(SecretStr(password), stored)
    assert not await hasher.matches(SecretStr(password[:-1]), stored)
    assert not await hasher.matches(SecretStr(password[:-1] + "?"), stored)


async def test_passwords_are_not_normalised_or_trimmed(hasher: BcryptHasher) -> None:
    composed, decomposed = "caf\u00e9 au lait, s'il vous", "cafe\u0301 au lait, s'il vous"
    stored = await hasher.hash(SecretStr(composed))
    assert not await hasher.matches(SecretStr(decomposed), stored)
    assert not await hasher.matches(SecretStr(composed + " "), stored)


async def test_a_password_with_a_lone_surrogate_is_just_wrong(hasher: BcryptHasher) -> None:
    stored = await hasher.hash(SecretStr("a good long password"))
    assert not await hasher.matches(SecretStr("a good long \ud800"), stored)


async def test_equal_passwords_have_different_hashes(hasher: BcryptHasher) -> None:
    assert await hasher.hash(SecretStr("a good long password")) != await hasher.hash(
        SecretStr("a good long password")
    )


async def test_a_stored_hash_cannot_be_verified_with_another_pepper(hasher: BcryptHasher) -> None:
    stored = await hasher.hash(SecretStr("a good long password"))
    async with open_hasher(SecretStr("q" * 32), cost=COST, workers=1, queue=1) as other:
        assert not await other.matches(SecretStr("a good long password"), stored)


async def test_an_unknown_user_is_verified_against_a_hash_of_the_same_cost(
    hasher: BcryptHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not await hasher.matches(SecretStr("a good long password"), None)
    stored = await hasher.hash(SecretStr("a good long password"))
    gate = Gate(monkeypatch)
    gate.open.set()
    await hasher.matches(SecretStr("a good long password"), None)
    await hasher.matches(SecretStr("a good long password"), stored)
    dummy, real = gate.checked
    assert dummy[:7] == real[:7] == b"$2b$04$"
    assert len(dummy) == len(real)


async def test_an_unknown_scheme_raises_an_error_that_does_not_quote_the_hash(
    hasher: BcryptHasher,
) -> None:
    with pytest.raises(ValueError, match="unknown scheme") as raised:
        await hasher.matches(SecretStr("a good long password"), "v9$something")
    assert "something" not in str(raised.value)


async def test_a_full_queue_refuses_further_hashes_at_once_and_recovers(
    hasher: BcryptHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    async with asyncio.TaskGroup() as group:
        accepted = [group.create_task(hasher.matches(SecretStr("x"), None)) for _ in range(2)]
        refused = group.create_task(_refused(hasher))
        assert (await refused).retry_after_secs > 0
        with pytest.raises(Overloaded):
            hasher.check_capacity()
        gate.open.set()
    assert all(task.result() for task in accepted)
    hasher.check_capacity()
    assert await hasher.matches(SecretStr("x"), None)


async def test_the_hash_of_a_cancelled_caller_keeps_its_slot_until_it_is_done(
    hasher: BcryptHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pending_hashes()
    gate = Gate(monkeypatch)
    callers = [asyncio.create_task(hasher.matches(SecretStr("x"), None)) for _ in range(2)]
    async with asyncio.timeout(PATIENCE_SECS):
        while not gate.checked:
            await asyncio.sleep(0)
    running = callers[0]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await _refused(hasher)
    gate.open.set()
    assert await callers[1]
    await asyncio.to_thread(hasher.close)
    assert pending_hashes() == before


async def _refused(hasher: BcryptHasher) -> Overloaded:
    with pytest.raises(Overloaded) as raised:
        await hasher.matches(SecretStr("x"), None)
    return raised.value


async def test_the_check_of_a_password_runs_before_its_hash_on_the_same_threads(
    hasher: BcryptHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []

    def refuse() -> None:
        threads.append(threading.current_thread().name)
        raise InvalidField("password: weak", field="password")

    def not_reached(*_: bytes) -> bytes:
        raise AssertionError("a refused password was hashed")

    monkeypatch.setattr(bcrypt, "hashpw", not_reached)
    for _ in range(3):  # more than one thread and its queue hold, so slots are released
        with pytest.raises(InvalidField, match="weak"):
            await hasher.hash(SecretStr("x"), check=refuse)
    assert [name.startswith("bcrypt") for name in threads] == [True] * 3


async def test_a_hash_with_another_cost_or_scheme_is_outdated(hasher: BcryptHasher) -> None:
    stored = await hasher.hash(SecretStr("a good long password"))
    assert not hasher.is_outdated(stored)
    assert hasher.is_outdated("v0$" + stored.removeprefix("v1$"))
    async with open_hasher(PEPPER, cost=COST + 1, workers=1, queue=1) as stronger:
        assert stronger.is_outdated(stored)
        assert await stronger.matches(SecretStr("a good long password"), stored)


async def test_the_default_cost_is_in_the_hash_and_the_hash_is_verified() -> None:
    async with open_hasher(PEPPER, cost=12, workers=1, queue=1) as hasher:
        stored = await hasher.hash(SecretStr("a good long password"))
        assert stored.startswith("v1$$2b$12$")
        assert await hasher.matches(SecretStr("a good long password"), stored)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere niceness is per process")
async def test_only_the_threads_of_the_hasher_get_the_niceness(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def has_niceness(*_: bytes) -> bool:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before + 5

    before = os.getpriority(os.PRIO_PROCESS, 0)
    monkeypatch.setattr(bcrypt, "checkpw", has_niceness)
    async with open_hasher(PEPPER, cost=COST, workers=1, queue=1, niceness=before + 5) as hasher:
        assert await hasher.matches(SecretStr("x"), None)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
