"""A NATS client that hands the messages of chosen subjects over straight from its read buffer.

nats-py matches a regular expression against a buffer for each message, builds an object,
and passes it through a queue to another task. For the firehose of quotes that costs more than
all the rest of what the gateway does with a quote (bench/README.md has the figures).
"""

from collections.abc import Callable
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import ProtocolError
from nats.protocol.parser import Parser

Take = Callable[[str, bytes], None]
"""Called with subject and payload; must return soon, and may raise nothing."""

Line = tuple[Take | None, str, int]
"""Whose message follows a control line, of which subject, and its bytes up to the next line."""

_MAX_LINE_BYTES: Final = 65_536  # an INFO line is the longest, and grows with the cluster
_MOST_LINES: Final = 65_536
_FIELDS_WITHOUT_REPLY: Final = 4
_WITH_PAYLOAD: Final = (b"MSG ", b"HMSG ")


class DirectParser(Parser):
    """Splits what the server sent into operations, and leaves all but chosen messages to nats-py."""

    def __init__(self, client: Client) -> None:
        self._rest = b""
        self._resets = 0
        self.direct: dict[bytes, Take] = {}
        """By subscription id."""
        self._lines: dict[bytes, Line] = {}
        """What is known of control lines that have come before."""
        self.after: Callable[[], None] = lambda: None
        """Called when messages of one read have been taken."""
        super().__init__(client)

    def reset(self) -> None:
        """Begin anew on another connection."""
        super().reset()
        self._rest = b""
        self._resets += 1

    async def parse(self, data: bytes = b"") -> None:
        """Take all whole operations; keep the beginning of the next one."""
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
                return  # that connection is gone, and with it what it had sent
            at = end
        self._rest = data[at:]

    def _take_direct(self, data: bytes, at: int) -> tuple[int, int | None]:
        """Hand over messages from `at` on, up to an operation that is not for us.

        Where that begins, and where it ends; None if not all of it is there.
        """
        lines = self._lines
        find = data.find
        size = len(data)
        while (line_end := find(b"\r\n", at)) >= 0:
            line = data[at:line_end]
            # The lines of an instrument's messages are the same but for their few lengths.
            take, subject, payload_size = lines.get(line) or self._read_line(line)
            end = line_end + 2 + payload_size
            if end > size:
                return at, None
            if take is None:
                return at, end
            take(subject, data[line_end + 2 : end - 2])
            at = end
        if size - at > _MAX_LINE_BYTES:
            raise ProtocolError("nats: control line too long")
        return at, None

    def _read_line(self, line: bytes) -> Line:
        if not line.startswith(_WITH_PAYLOAD):
            return None, "", 0
        fields = line.split()
        size = _size(fields[-1]) + 2
        take = self.direct.get(fields[2])
        if take is None or fields[0] != b"MSG":
            return None, "", size
        read = take, fields[1].decode(), size
        if len(fields) == _FIELDS_WITHOUT_REPLY:
            if len(self._lines) >= _MOST_LINES:
                self._lines.clear()
            self._lines[line] = read
        return read


def _size(field: bytes) -> int:
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
        """Call this when messages of one read have been taken."""
        self._ps.after = callback

    async def take(self, subject: str, callback: Take) -> Subscription:
        """Subscribe to `subject`; each message goes to `callback` as soon as it is read."""

        async def with_headers(message: Msg) -> None:
            callback(message.subject, message.data)
            self._ps.after()

        subscription = await self.subscribe(subject, cb=with_headers)
        self._ps.direct[str(subscription._id).encode()] = callback  # noqa: SLF001
        return subscription
