"""What the requests for history need to know of the instruments master."""

from typing import Protocol


class KnownInstruments(Protocol):
    """The instruments of the stored master."""

    async def knows(self, key: str) -> bool | None:
        """Whether the master has `key`; None if no master is stored. Raises PyMongoError."""
        ...
