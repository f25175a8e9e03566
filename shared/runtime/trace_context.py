"""The identity of a request across processes, as W3C Trace Context writes it.

Level 1 of the recommendation: `traceparent` is read strictly, and a wrong one is treated as if
there were none. A `tracestate` of other vendors is passed on unchanged.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"

_SAMPLED: Final = 0x01
_INVALID_VERSION: Final = "ff"
_FIRST_VERSION: Final = "00"
_PARENT: Final = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace_id>[0-9a-f]{32})-(?P<span_id>[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?"
)
_NO_TRACE: Final = "0" * 32
_NO_SPAN: Final = "0" * 16

_MAX_STATE_CHARS: Final = 512
_MAX_STATE_MEMBERS: Final = 32
_STATE_KEY: Final = (
    r"(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
)
_STATE_VALUE: Final = r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
_STATE_MEMBER: Final = re.compile(f"({_STATE_KEY})={_STATE_VALUE}")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """One span of a trace."""

    trace_id: str
    """32 hexadecimal digits, not all zero; the same for the whole request."""
    span_id: str
    """16 hexadecimal digits, not all zero."""
    is_sampled: bool
    state: str = ""
    """`tracestate` of other vendors; empty for none."""

    def traceparent(self) -> str:
        """The value of the header `traceparent`."""
        return f"{_FIRST_VERSION}-{self.trace_id}-{self.span_id}-{int(self.is_sampled):02x}"

    def headers(self) -> dict[str, str]:
        """The headers of a message that this span sends."""
        headers = {TRACEPARENT: self.traceparent()}
        if self.state:
            headers[TRACESTATE] = self.state
        return headers

    def child(self) -> "TraceContext":
        """A new span of the same trace."""
        return TraceContext(self.trace_id, secrets.token_hex(8), self.is_sampled, self.state)


def new_trace(*, is_sampled: bool) -> TraceContext:
    """The first span of a new trace."""
    # An identifier of zeros only is invalid; 2**-64 is no chance to plan for.
    return TraceContext(secrets.token_hex(16), secrets.token_hex(8), is_sampled)


def read_context(parents: Sequence[str], states: Sequence[str] = ()) -> TraceContext | None:
    """The sender's span, from all values of both headers; None if there is no valid one."""
    if len(parents) != 1:
        return None
    found = _PARENT.fullmatch(parents[0])
    if found is None or found["version"] == _INVALID_VERSION:
        return None
    if found["version"] == _FIRST_VERSION and found["rest"] is not None:
        return None
    if found["trace_id"] == _NO_TRACE or found["span_id"] == _NO_SPAN:
        return None
    is_sampled = bool(int(found["flags"], 16) & _SAMPLED)
    return TraceContext(found["trace_id"], found["span_id"], is_sampled, _read_state(states))


def _read_state(states: Sequence[str]) -> str:
    """The combined `tracestate`; empty if it is invalid or longer than must be passed on."""
    combined = ",".join(states)
    if len(combined) > _MAX_STATE_CHARS:
        return ""
    members = [member for part in combined.split(",") if (member := part.strip(" \t"))]
    matches = [_STATE_MEMBER.fullmatch(member) for member in members]
    keys = {match[1] for match in matches if match is not None}
    if len(keys) != len(members) or len(members) > _MAX_STATE_MEMBERS:
        return ""
    return ",".join(members)
