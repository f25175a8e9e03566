"""A part of the client exists only within its `async with` block."""

from typing import TypeVar

T = TypeVar("T")


def entered(part: T | None) -> T:
    """Return a part. Raises RuntimeError if the client was not entered."""
    if part is None:
        raise RuntimeError("use the client within `async with`")
    return part
