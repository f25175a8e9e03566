"""Many clients in one process that read as cheaply as they can, for `bench.gateway`.

They look for one mark of each quote in what comes from the socket and parse nothing else:
the same for every server that is measured. Reads a configuration as JSON, then commands,
from standard input, one a line; answers each with a line of JSON.
"""

import json
import random
import re
import select
import socket
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Final

from bench.gateway_feed import key_of
from shared.contracts.subjects import quote_subject

MARK: Final = b"_EQ|INE"
_RECEIVED: Final = re.compile(rb'"rt":(\d{16})')
_BUFFER_BYTES: Final = 1 << 18
_TIMED_EVERY: Final = 20
# Who looks by the clock is not woken: a wake-up would be charged to who writes, and clients on
# other machines cost a server none.
_PAUSE_SECS: Final = 0.001
# Timed clients are looked into again after so many of the others, so that they wait for few.
_OTHERS_AT_ONCE: Final = 16
_HANDSHAKE: Final = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@dataclass
class Client:
    """One connection; of a timed one the age of each quote is noted."""

    socket: socket.socket
    is_timed: bool
    tail: bytes = b""


@dataclass
class Tally:
    """What came since the last reset."""

    deliveries: int = 0
    bytes: int = 0
    latencies_us: list[int] = field(default_factory=list)
    last_at: float = 0.0

    def as_dict(self) -> dict[str, float]:
        ordered = sorted(self.latencies_us) or [0]

        def at(quantile: float) -> float:
            return ordered[min(len(ordered) - 1, int(quantile * len(ordered)))] / 1e3

        return {
            "deliveries": self.deliveries,
            "bytes": self.bytes,
            "p50_ms": at(0.50),
            "p99_ms": at(0.99),
            "max_ms": at(1.0),
            "quiet_secs": time.monotonic() - self.last_at,
        }


def frame(payload: bytes, opcode: int) -> bytes:
    """A client's frame, masked with zeros."""
    size = len(payload)
    if size < 126:
        head = bytes([0x80 | opcode, 0x80 | size])
    elif size < 65_536:
        head = bytes([0x80 | opcode, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + bytes(4) + payload


class Load:
    """All clients."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._tally = Tally()
        self._epoll = select.epoll()
        self._timed: dict[int, Client] = {}
        self._others: deque[Client] = deque()
        self._buffer = bytearray(_BUFFER_BYTES)
        self._random = random.Random(7)
        self._kept: list[socket.socket] = []

    def connect(self) -> dict[str, float]:
        """Open all; those that never read come first, so that the rest is the same each time."""
        config = self._config
        subscriptions = 0
        for number in range(config["clients"]):
            keys = self._random.sample(range(config["keys"]), config["each"])
            opened = self._open([key_of(key) for key in keys])
            self._kept.append(opened)
            if number < config["stalled"]:
                continue
            subscriptions += len(keys)
            opened.setblocking(False)
            if number % _TIMED_EVERY == 0:
                self._timed[opened.fileno()] = Client(opened, is_timed=True)
                self._epoll.register(opened, select.EPOLLIN)
            else:
                self._others.append(Client(opened, is_timed=False))
        return {"subscriptions": subscriptions}

    def _open(self, keys: list[str]) -> socket.socket:
        config = self._config
        opened = socket.socket()
        opened.settimeout(30)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.connect(("127.0.0.1", config["port"]))
        opened.sendall(_HANDSHAKE.format(path=config["path"]).encode())
        self._until(opened, b"\r\n\r\n")
        if config["kind"] == "nats":
            lines = ['CONNECT {"verbose":false,"pedantic":false}']
            lines += [f"SUB {quote_subject(key)} {number}" for number, key in enumerate(keys, 1)]
            opened.sendall(frame("\r\n".join([*lines, "PING", ""]).encode(), 2))
            self._until(opened, b"PONG")
            return opened
        opened.sendall(frame(json.dumps({"op": "auth", "token": config["token"]}).encode(), 1))
        self._until(opened, b'"authenticated"')
        if keys:
            request = {"op": "subscribe", "id": 1, "channel": "quotes", "keys": keys}
            opened.sendall(frame(json.dumps(request).encode(), 1))
            self._until(opened, b'"ack"')
        return opened

    def _until(self, opened: socket.socket, mark: bytes) -> None:
        seen = b""
        while mark not in seen:
            data = opened.recv(65_536)
            if not data:
                raise ConnectionError(f"closed before {mark!r}: {seen[-200:]!r}")
            seen += data

    def read(self) -> None:
        """Read what is there: all of the timed clients, some of the others in turn."""
        time.sleep(_PAUSE_SECS)
        for number, _ in self._epoll.poll(0, 1_000):
            if not self._read(self._timed[number]):
                self._epoll.unregister(number)
        for _ in range(min(_OTHERS_AT_ONCE, len(self._others))):
            client = self._others.popleft()
            if self._read(client):
                self._others.append(client)

    def _read(self, client: Client) -> bool:
        """False if the connection has ended."""
        tally, buffer = self._tally, self._buffer
        try:
            size = client.socket.recv_into(buffer)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        tally.bytes += size
        tally.deliveries += buffer.count(MARK, 0, size)
        if client.tail:
            tally.deliveries += (client.tail + buffer[: len(MARK) - 1]).count(MARK)
        client.tail = bytes(buffer[max(0, size - len(MARK) + 1) : size])
        if client.is_timed:
            now_us = time.time_ns() // 1_000
            with memoryview(buffer) as view:
                tally.latencies_us += [
                    now_us - int(found) for found in _RECEIVED.findall(view[:size])
                ]
        tally.last_at = time.monotonic()
        return size > 0

    def reset(self) -> dict[str, float]:
        """Count from now on."""
        self._tally = Tally()
        return {}

    def tell(self) -> dict[str, float]:
        """What came so far."""
        return self._tally.as_dict()


def main() -> None:
    """Serve commands until the end of standard input, reading all the while."""
    load = Load(json.loads(sys.stdin.readline()))
    commands: SimpleQueue[str | None] = SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            commands.put(line.strip())
        commands.put(None)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        load.read()
        try:
            command = commands.get_nowait()
        except Empty:
            continue
        if command is None:
            return
        answer = {"connect": load.connect, "reset": load.reset, "tell": load.tell}[command]()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
