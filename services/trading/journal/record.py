"""Records of the journal: an entry with its message, and a command with its answer."""

import msgspec

from services.trading.journal.entry import Entry
from shared.contracts.trading import Operation
from shared.contracts.trading_admin import UserAdminOperation


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in the order of its partition."""

    number: int
    """Number of the entry in its partition; rises."""
    entry: Entry
    event: bytes
    """The user's event as JSON, with the same `seq`."""
    traceparent: str = ""
    """The span that caused the entry, for the event's message; empty for none. Not stored."""


class DamagedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A stored entry that cannot be decoded."""

    number: int
    user_id: str
    reason: str


class CommandRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A command of the user or of an administrator, and the answer that every repetition gets."""

    user_id: str
    key: str
    operation: Operation | UserAdminOperation
    digest: bytes
    """Hash of the request."""
    request: bytes
    answer: bytes
    """The reply as JSON, or the body of the error."""
    code: str = ""
    """The code of the error; empty if the command was carried out."""
    replaces: bool = False
    """Whether the command was stored before it was sent to a broker, and this is its answer."""
