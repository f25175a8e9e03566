"""Many clients in one process that use little CPU, for `bench.gateway`.

The clients count one pattern per quote in the received bytes and parse nothing else, in the same
way for every measured server. Reads a configuration as JSON from standard input, then commands,
one per line; prints one line of JSON for each command.
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

PATTERN: Final = b"_EQ|INE"
_RECEIVED_AT: Final = re.compile(rb'"rt":(\d{16})')
_BUFFER_BYTES: Final = 1 << 18
_CLIENTS_PER_TIMED: Final = 20
# Clients poll at this interval instead of waiting for data: waking a process costs CPU time of
# the process that writes, and clients on other machines cost a server none.
_PAUSE_SECS: Final = 0.001
# Timed clients are read again after so many untimed ones, so that a timed one waits for few.
_UNTIMED_PER_READ: Final = 16
_HANDSHAKE: Final = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@dataclass
class Client:
    """One connection. For a timed client the latency of each quote is recorded."""

    socket: socket.socket
    is_timed: bool
    tail: bytes = b""
    """The last bytes received, which may contain the start of a pattern."""


@dataclass
class Tally:
    """Counts and latencies since the last reset."""

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
    """A WebSocket frame of a client, with a mask of zeros."""
    size = len(payload)
    if size < 126:
        head = bytes([0x80 | opcode, 0x80 | size])
    elif size < 65_536:
        head = bytes([0x80 | opcode, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + bytes(4) + payload


class Load:
    """All clients of the process."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._tally = Tally()
        self._epoll = select.epoll()
        self._timed: dict[int, Client] = {}
        self._untimed: deque[Client] = deque()
        self._buffer = bytearray(_BUFFER_BYTES)
        self._random = random.Random(7)
        self._sockets: list[socket.socket] = []

    def connect(self) -> dict[str, float]:
        """Open all connections. The clients that never read come first: the others are the same
        in every run."""
        config = self._config
        subscriptions = 0
        for number in range(config["clients"]):
            keys = self._random.sample(range(config["keys"]), config["each"])
            opened = self._open([key_of(key) for key in keys])
            self._sockets.append(opened)
            if number < config["stalled"]:
                continue
            subscriptions += len(keys)
            opened.setblocking(False)
            if number % _CLIENTS_PER_TIMED == 0:
                self._timed[opened.fileno()] = Client(opened, is_timed=True)
                self._epoll.register(opened, select.EPOLLIN)
            else:
                self._untimed.append(Client(opened, is_timed=False))
        return {"subscriptions": subscriptions}

    def _open(self, keys: list[str]) -> socket.socket:
        config = self._config
        opened = socket.socket()
        opened.settimeout(30)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.connect(("127.0.0.1", config["port"]))
        opened.sendall(_HANDSHAKE.format(path=config["path"]).encode())
        self._read_until(opened, b"\r\n\r\n")
        if config["kind"] == "nats":
            lines = ['CONNECT {"verbose":false,"pedantic":false}']
            lines += [f"SUB {quote_subject(key)} {number}" for number, key in enumerate(keys, 1)]
            opened.sendall(frame("\r\n".join([*lines, "PING", ""]).encode(), 2))
            self._read_until(opened, b"PONG")
            return opened
        opened.sendall(frame(json.dumps({"op": "auth", "token": config["token"]}).encode(), 1))
        self._read_until(opened, b'"authenticated"')
        if keys:
            request = {"op": "subscribe", "id": 1, "channel": "quotes", "keys": keys}
            opened.sendall(frame(json.dumps(request).encode(), 1))
            self._read_until(opened, b'"ack"')
        return opened

    def _read_until(self, opened: socket.socket, pattern: bytes) -> None:
        received = b""
        while pattern not in received:
            data = opened.recv(65_536)
            if not data:
                raise ConnectionError(f"closed before {pattern!r}: {received[-200:]!r}")
            received += data

    def read(self) -> None:
        """Read the available data of all timed clients, and of some untimed clients in turn."""
        time.sleep(_PAUSE_SECS)
        for number, _ in self._epoll.poll(0, 1_000):
            if not self._read(self._timed[number]):
                self._epoll.unregister(number)
        for _ in range(min(_UNTIMED_PER_READ, len(self._untimed))):
            client = self._untimed.popleft()
            if self._read(client):
                self._untimed.append(client)

    def _read(self, client: Client) -> bool:
        """Read from one client; False if the connection has ended."""
        tally, buffer = self._tally, self._buffer
        try:
            size = client.socket.recv_into(buffer)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        tally.bytes += size
        tally.deliveries += buffer.count(PATTERN, 0, size)
        if client.tail:
            tally.deliveries += (client.tail + buffer[: len(PATTERN) - 1]).count(PATTERN)
        client.tail = bytes(buffer[max(0, size - len(PATTERN) + 1) : size])
        if client.is_timed:
            now_us = time.time_ns() // 1_000
            with memoryview(buffer) as view:
                tally.latencies_us += [
                    now_us - int(received_us) for received_us in _RECEIVED_AT.findall(view[:size])
                ]
        tally.last_at = time.monotonic()
        return size > 0

    def reset(self) -> dict[str, float]:
        """Set all counts to zero."""
        self._tally = Tally()
        return {}

    def report(self) -> dict[str, float]:
        """The counts since the last reset."""
        return self._tally.as_dict()


def main() -> None:
    """Execute commands until standard input ends; read from the sockets in between."""
    load = Load(json.loads(sys.stdin.readline()))
    commands: SimpleQueue[str | None] = SimpleQueue()

    def read_commands() -> None:
        for line in sys.stdin:
            commands.put(line.strip())
        commands.put(None)

    threading.Thread(target=read_commands, daemon=True).start()
    while True:
        load.read()
        try:
            command = commands.get_nowait()
        except Empty:
            continue
        if command is None:
            return
        result = {"connect": load.connect, "reset": load.reset, "tell": load.report}[command]()
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
