"""Publishes quotes at a steady rate over a bare socket, for `bench.gateway`.

Reads commands from standard input, one a line: ``RATE COUNT``. Keys take turns, so after a
multiple of their number each has had the same count. Answers with a line when it is done.
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
    """The instrument key of a number."""
    return f"NSE_EQ|INE{number:06d}018"


class Feed:
    """One publisher's connection."""

    def __init__(self, port: int, user: str, password: str, keys: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        # Or Nagle's rule would gather 64 KB, some 20 ms of quotes, on the loopback interface.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.recv(65_536)
        login = {"verbose": False, "pedantic": False, "user": user, "pass": password}
        self._socket.sendall(f"CONNECT {json.dumps(login)}\r\nPING\r\n".encode())
        self._halves = [self._template(number) for number in range(keys)]
        self._sent = 0

    def _template(self, number: int) -> tuple[bytes, bytes, bytes]:
        key = key_of(number)
        whole = encode(
            quote(
                key=key, seq=1_000_000_000, rt=1_000_000_000_000_000, cp=1_390.25, atp=1_395.17,
                oi=125_000, bid=1_399.95, bid_qty=310, ask=1_400.05, ask_qty=275,
                tbq=581_230, tsq=612_447,
            )
        )  # fmt: skip
        before, rest = whole.split(b"1000000000,")
        middle, after = rest.split(b"1000000000000000")
        line = f"PUB {quote_subject(key)} {len(whole)}\r\n".encode()
        return line + before, b"," + middle, after + b"\r\n"

    def publish(self, rate: int, count: int) -> None:
        """`count` quotes at `rate` a second."""
        started = time.perf_counter()
        done = 0
        while done < count:
            due = min(count, int((time.perf_counter() - started) * rate) + 1)
            received_us = b"%016d" % (time.time_ns() // 1_000)
            chunk = bytearray()
            for _ in range(due - done):
                before, middle, after = self._halves[self._sent % len(self._halves)]
                self._sent += 1
                chunk += before + b"%d" % (1_000_000_000 + self._sent) + middle
                chunk += received_us + after
            self._socket.sendall(chunk)
            done = due
            self._answer_pings()
            time.sleep(max(0.0, started + done / rate - time.perf_counter(), TICK_SECS / 2))

    def _answer_pings(self) -> None:
        while select.select([self._socket], [], [], 0)[0]:
            if b"PING" in self._socket.recv(65_536):
                self._socket.sendall(b"PONG\r\n")


def main() -> None:
    """Serve commands until the end of standard input."""
    port, user, password, keys = sys.argv[1:]
    feed = Feed(int(port), user, password, int(keys))
    for line in sys.stdin:
        rate, count = map(int, line.split())
        feed.publish(rate, count)
        print("done", flush=True)


if __name__ == "__main__":
    main()
