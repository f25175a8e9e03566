"""The open streams: an index by user and session, and one sweep for their deadlines."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from services.gateway import metrics
from services.gateway.fanout.interest import Outcome
from services.gateway.stream.protocol import CloseCode
from shared.errors import Code
from shared.web.verifier import Principal

_SWEEP_SECS: Final = 0.25


class StreamTermination(Exception):
    """Ends a stream, with the close code and the error for the client's last message."""

    def __init__(self, close_code: CloseCode, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.close_code = close_code
        self.code = code
        self.detail = detail


class Stream(Protocol):
    """One open stream, as the registry and the bus listeners use it."""

    deadline: float
    """Loop time at which the registry calls `on_deadline`."""

    heartbeat_at: float
    """Loop time at which the registry calls `heartbeat`."""

    def on_deadline(self, now: float) -> None:
        """Send the expiry warning, or end the stream."""
        ...

    def heartbeat(self, now: float) -> None:
        """Send the message that shows that the gateway is alive."""
        ...

    def end(self, termination: StreamTermination) -> None:
        """Send the reason and close the stream."""
        ...

    def revoke(self, issued_before: int | None = None) -> None:
        """The session was revoked; if `issued_before` is given, only tokens issued until then."""
        ...

    def report_outcomes(self, changed: Mapping[str, Outcome]) -> None:
        """Some keys have a new outcome."""
        ...

    def report_gap(self) -> None:
        """Messages from NATS may have been missed."""
        ...


class StreamRegistry:
    """A component: calls each stream at its deadline. One sweep costs less than many timers."""

    def __init__(self) -> None:
        self._streams: set[Stream] = set()
        self._by_user: defaultdict[str, set[Stream]] = defaultdict(set)
        self._by_session: defaultdict[str, set[Stream]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._streams)

    def __iter__(self) -> Iterator[Stream]:
        return iter(list(self._streams))

    def add(self, stream: Stream) -> None:
        """Register a stream that was opened."""
        self._streams.add(stream)
        metrics.STREAMS.set(len(self._streams))

    def identify(self, stream: Stream, principal: Principal) -> None:
        """Index a stream by its user and session."""
        self._by_user[principal.user_id].add(stream)
        self._by_session[principal.session_id].add(stream)

    def remove(self, stream: Stream, principal: Principal | None) -> None:
        """Remove a stream that has ended; `principal` is None if it never authenticated."""
        self._streams.discard(stream)
        metrics.STREAMS.set(len(self._streams))
        if principal is not None:
            _discard(self._by_user, principal.user_id, stream)
            _discard(self._by_session, principal.session_id, stream)

    @property
    def user_count(self) -> int:
        """How many users have a stream with a valid token."""
        return len(self._by_user)

    def of_user(self, user_id: str) -> list[Stream]:
        """The streams of a user."""
        return list(self._by_user.get(user_id, ()))

    def of_session(self, session_id: str) -> list[Stream]:
        """The streams of a session."""
        return list(self._by_session.get(session_id, ()))

    async def run(self) -> None:
        """Sweep until cancelled."""
        loop = asyncio.get_running_loop()
        next_sweep = loop.time()
        while True:
            next_sweep += _SWEEP_SECS
            await asyncio.sleep(max(0.0, next_sweep - loop.time()))
            now = loop.time()
            next_sweep = now
            for stream in [stream for stream in self._streams if stream.deadline <= now]:
                stream.on_deadline(now)
            for stream in [stream for stream in self._streams if stream.heartbeat_at <= now]:
                stream.heartbeat(now)


def _discard(index: defaultdict[str, set[Stream]], name: str, stream: Stream) -> None:
    index[name].discard(stream)
    if not index[name]:
        del index[name]
