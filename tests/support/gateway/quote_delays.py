"""The delay of each quote from its arrival at ingest to a client."""

import time
from typing import Final

from tests.support.gateway.websocket import Socket, receive

LAST_PRICE: Final = 1.0
"""The LTP of the quote that ends a test."""


async def read_delays(socket: Socket) -> tuple[list[int], list[float]]:
    """The seqs up to the quote of LAST_PRICE, and the delay of each in seconds."""
    seqs: list[int] = []
    delays: list[float] = []
    while True:
        for quote in (await receive(socket, "quotes"))["data"]:
            seqs.append(quote["seq"])
            delays.append(time.time() - quote["rt"] / 1e6)
            if quote["ltp"] == LAST_PRICE:
                return seqs, delays
