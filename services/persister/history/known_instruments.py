"""Interface to the instruments master for the requests for history."""

from typing import Protocol


class KnownInstruments(Protocol):
    """The instruments of the stored master."""

    async def knows(self, key: str) -> bool | None:
        """Whether the master has `key`; None if no master is stored. Raises PyMongoError."""
        ...
