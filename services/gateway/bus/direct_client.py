"""A NATS client that delivers chosen subjects from its read buffer, without a queue.

For each message nats-py matches a regular expression against a buffer, builds an object and
passes it through a queue to another task. For the stream of quotes that costs more than all
other work of the gateway on a quote (figures in bench/README.md).
"""

from collections.abc import Callable
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import ProtocolError
from nats.protocol.parser import Parser

Take = Callable[[str, bytes], None]
"""Receives subject and payload. It must return soon and must not raise."""

ControlLine = tuple[Take | None, str, int]
"""Receiver and subject of a control line's message, and its size up to the next line."""

_MAX_LINE_BYTES: Final = 65_536  # the longest line is INFO, which grows with the cluster
_MAX_CACHED_LINES: Final = 65_536
_FIELDS_WITHOUT_REPLY: Final = 4
_WITH_PAYLOAD: Final = (b"MSG ", b"HMSG ")


class DirectParser(Parser):
    """Parses the server's protocol; passes everything but the chosen messages to nats-py."""

    def __init__(self, client: Client) -> None:
        self._rest = b""
        self._resets = 0
        self.direct: dict[bytes, Take] = {}
        """Receivers by subscription id."""
        self._lines: dict[bytes, ControlLine] = {}
        """Parsed control lines: those of one instrument's messages differ in the size only."""
        self.after: Callable[[], None] = lambda: None
        """Called after the direct messages of one read were delivered."""
        super().__init__(client)

    def reset(self) -> None:
        """Start again on a new connection."""
        super().reset()
        self._rest = b""
        self._resets += 1

    async def parse(self, data: bytes = b"") -> None:
        """Parse all complete operations, and keep the beginning of the next."""
        if self._rest:
            data = self._rest + data
        resets = self._resets
        at = 0
        while at < len(data):
            begin = at
            at, end = self._take_direct(data, at)
            if at > begin:
                self.after()
            if end is None:
                break
            self._rest = b""
            await super().parse(data[at:end])
            if self._resets != resets:
                return  # the connection was replaced; the rest of its data is void
            at = end
        self._rest = data[at:]

    def _take_direct(self, data: bytes, at: int) -> tuple[int, int | None]:
        """Deliver direct messages from `at` on, up to the first other operation.

        Returns where that operation begins and ends; the end is None if it is incomplete.
        """
        lines = self._lines
        find = data.find
        size_bytes = len(data)
        while (line_end := find(b"\r\n", at)) >= 0:
            line = data[at:line_end]
            take, subject, payload_bytes = lines.get(line) or self._parse_line(line)
            end = line_end + 2 + payload_bytes
            if end > size_bytes:
                return at, None
            if take is None:
                return at, end
            take(subject, data[line_end + 2 : end - 2])
            at = end
        if size_bytes - at > _MAX_LINE_BYTES:
            raise ProtocolError("nats: control line too long")
        return at, None

    def _parse_line(self, line: bytes) -> ControlLine:
        if not line.startswith(_WITH_PAYLOAD):
            return None, "", 0
        fields = line.split()
        payload_bytes = _size_bytes(fields[-1]) + 2
        take = self.direct.get(fields[2])
        if take is None or fields[0] != b"MSG":
            return None, "", payload_bytes
        parsed = take, fields[1].decode(), payload_bytes
        if len(fields) == _FIELDS_WITHOUT_REPLY:
            if len(self._lines) >= _MAX_CACHED_LINES:
                self._lines.clear()
            self._lines[line] = parsed
        return parsed


def _size_bytes(field: bytes) -> int:
    try:
        return int(field)
    except ValueError:
        raise ProtocolError("nats: malformed MSG") from None


class DirectClient(Client):
    """nats-py's client with a `DirectParser`."""

    def __init__(self) -> None:
        super().__init__()
        self._ps: DirectParser = DirectParser(self)

    def after_each_read(self, callback: Callable[[], None]) -> None:
        """Call `callback` after the direct messages of one read were delivered."""
        self._ps.after = callback

    async def take(self, subject: str, callback: Take) -> Subscription:
        """Subscribe to `subject`; `callback` receives each message as soon as it is read."""

        async def with_headers(message: Msg) -> None:
            callback(message.subject, message.data)
            self._ps.after()

        subscription = await self.subscribe(subject, cb=with_headers)
        self._ps.direct[str(subscription._id).encode()] = callback  # noqa: SLF001
        return subscription
