"""Rounds of a fuzz test: a few fixed ones, or new ones for `FUZZ_SECS` seconds.

`FUZZ_SEED` repeats one round.
"""

import json
import os
import random
import time
from collections.abc import Iterator
from typing import Any, Final

_MAX_DEPTH: Final = 4
_MAX_BYTES: Final = 1_000_000
"""NATS takes messages of 1 MiB."""
_ODD_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), 10**400,
    0.0, -0.0, 1e308, 5e-324, float("nan"), float("inf"), float("-inf"),
    "", " ", "\x00", "\ufeff", "\r\n", "NaN", "1e999", "24:00", "\ud800", "é" * 200, "x" * 5_000,
    [], {}, [[]], [None], {"": None},
)  # fmt: skip


def rounds(count: int) -> Iterator[random.Random]:
    """A source of randomness per round. The seed is printed, and shown if the test fails."""
    secs = float(os.environ.get("FUZZ_SECS", "0"))
    given = os.environ.get("FUZZ_SEED")
    deadline = time.monotonic() + secs
    number = 0
    while given is not None or number < count or time.monotonic() < deadline:
        seed = given or (str(number) if not secs else os.urandom(6).hex())
        print(f"FUZZ_SEED={seed}")
        yield random.Random(seed)
        number += 1
        if given is not None:
            return


def odd_value(source: random.Random, depth: int = 0) -> Any:
    """A value that no schema expects, of any JSON type or none."""
    kind = source.random()
    if depth < _MAX_DEPTH and kind < 0.1:
        return [odd_value(source, depth + 1) for _ in range(source.randrange(4))]
    if depth < _MAX_DEPTH and kind < 0.2:
        return {str(odd_value(source, _MAX_DEPTH)): odd_value(source, depth + 1)}
    if kind < 0.3:
        return source.getrandbits(source.choice((8, 31, 32, 53, 63, 64, 128)))
    if kind < 0.4:
        return source.uniform(-1e12, 1e12)
    return source.choice(_ODD_VALUES)


def mutated(source: random.Random, value: Any) -> Any:
    """A copy of a JSON value in which some places hold odd values, are missing or are added."""
    if source.random() < 0.1:
        return odd_value(source)
    if isinstance(value, dict):
        copy = {
            name: mutated(source, item) if source.random() < 0.4 else item
            for name, item in value.items()
            if source.random() > 0.05
        }
        if source.random() < 0.1:
            copy[str(odd_value(source, _MAX_DEPTH))] = odd_value(source)
        return copy
    if isinstance(value, list):
        copied = [mutated(source, item) if source.random() < 0.4 else item for item in value]
        return copied * source.choice((1, 1, 1, 2, 50))
    return odd_value(source) if source.random() < 0.5 else value


def mutated_json(source: random.Random, value: Any) -> bytes:
    """A mutated value as JSON, sometimes with damaged bytes; cut off if it is very long."""
    data = json.dumps(mutated(source, value)).encode("utf-8", "surrogatepass")[:_MAX_BYTES]
    return damaged(source, data) if source.random() < 0.2 else data


def damaged(source: random.Random, data: bytes) -> bytes:
    """The data with bytes changed, removed, repeated or added."""
    result = bytearray(data)
    for _ in range(source.randrange(1, 6)):
        at = source.randrange(len(result) + 1)
        match source.randrange(4):
            case 0:
                result[at : at + source.randrange(20)] = b""
            case 1:
                result[at:at] = source.randbytes(source.randrange(1, 40))
            case 2:
                result[at : at + 1] = source.randbytes(1)
            case _:
                result[at:at] = result[at : at + 50] * source.randrange(1, 5)
    return bytes(result)
