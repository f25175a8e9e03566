"""Publishes quotes at a constant rate over a plain socket, for `bench.gateway`.

Reads commands from standard input, one per line: ``RATE COUNT``. Keys are used in turn, so a
count that is a multiple of their number gives each key the same number of quotes. Prints the
line `done` after each command.
"""

import json
import select
import socket
import sys
import time
from typing import Final

from shared.contracts.messages import encode
from shared.contracts.subjects import quote_subject
from tests.support.builders import quote

TICK_SECS: Final = 0.001


def key_of(number: int) -> str:
    """The instrument key with this number."""
    return f"NSE_EQ|INE{number:06d}018"


class Feed:
    """The connection of one publisher to nats-server."""

    def __init__(self, port: int, user: str, password: str, keys: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        # Without this, Nagle's algorithm collects 64 KB, about 20 ms of quotes, on loopback.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.recv(65_536)
        login = {"verbose": False, "pedantic": False, "user": user, "pass": password}
        self._socket.sendall(f"CONNECT {json.dumps(login)}\r\nPING\r\n".encode())
        self._templates = [self._template(number) for number in range(keys)]
        self._sent = 0

    def _template(self, number: int) -> tuple[bytes, bytes, bytes]:
        """The parts of a PUB command before, between and after `seq` and `rt`."""
        key = key_of(number)
        encoded = encode(
            quote(
                key=key, seq=1_000_000_000, rt=1_000_000_000_000_000, cp=1_390.25, atp=1_395.17,
                open=1_392.4, high=1_404.85, low=1_388.15, oi=125_000, bid=1_399.95, bid_qty=310,
                ask=1_400.05, ask_qty=275, tbq=581_230, tsq=612_447,
            )
        )  # fmt: skip
        before, rest = encoded.split(b"1000000000,")
        middle, after = rest.split(b"1000000000000000")
        line = f"PUB {quote_subject(key)} {len(encoded)}\r\n".encode()
        return line + before, b"," + middle, after + b"\r\n"

    def publish(self, rate: int, count: int) -> None:
        """Publish `count` quotes at `rate` per second."""
        started = time.perf_counter()
        published = 0
        while published < count:
            target = min(count, int((time.perf_counter() - started) * rate) + 1)
            received_us = b"%016d" % (time.time_ns() // 1_000)
            chunk = bytearray()
            for _ in range(target - published):
                before, middle, after = self._templates[self._sent % len(self._templates)]
                self._sent += 1
                chunk += before + b"%d" % (1_000_000_000 + self._sent) + middle
                chunk += received_us + after
            self._socket.sendall(chunk)
            published = target
            self._send_pongs()
            time.sleep(max(0.0, started + published / rate - time.perf_counter(), TICK_SECS / 2))

    def _send_pongs(self) -> None:
        while select.select([self._socket], [], [], 0)[0]:
            if b"PING" in self._socket.recv(65_536):
                self._socket.sendall(b"PONG\r\n")


def main() -> None:
    """Execute commands until standard input ends."""
    port, user, password, keys = sys.argv[1:]
    feed = Feed(int(port), user, password, int(keys))
    for line in sys.stdin:
        rate, count = map(int, line.split())
        feed.publish(rate, count)
        print("done", flush=True)


if __name__ == "__main__":
    main()
