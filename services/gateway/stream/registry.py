"""All open streams: found by user and session, and looked through for what is due."""

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
    """The session is over; says with which close code, and what to tell the client."""

    def __init__(self, close_code: CloseCode, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.close_code = close_code
        self.code = code
        self.detail = detail


class Stream(Protocol):
    """What is known of a stream here."""

    due: float
    """Loop time at which `on_due` wants to be called."""

    def on_due(self, now: float) -> None:
        """Something is due: a warning, an end."""
        ...

    def end(self, end: StreamTermination) -> None:
        """Say goodbye and close."""
        ...

    def revoke(self, issued_before: int | None = None) -> None:
        """The session was ended elsewhere."""
        ...

    def tell_outcomes(self, changed: Mapping[str, Outcome]) -> None:
        """The feed has another answer for some keys."""
        ...

    def tell_gap(self) -> None:
        """Messages may have been missed."""
        ...


class StreamRegistry:
    """A component: calls each stream whose time has come. One sweep costs less than a timer each."""

    def __init__(self) -> None:
        self._all: set[Stream] = set()
        self._of_user: defaultdict[str, set[Stream]] = defaultdict(set)
        self._of_session: defaultdict[str, set[Stream]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Stream]:
        return iter(list(self._all))

    def add(self, stream: Stream) -> None:
        """A stream was opened."""
        self._all.add(stream)
        metrics.STREAMS.set(len(self._all))

    def identify(self, stream: Stream, who: Principal) -> None:
        """A stream has shown whose it is."""
        self._of_user[who.user_id].add(stream)
        self._of_session[who.session_id].add(stream)

    def remove(self, stream: Stream, who: Principal | None) -> None:
        """A stream has ended."""
        self._all.discard(stream)
        metrics.STREAMS.set(len(self._all))
        if who is not None:
            _discard(self._of_user, who.user_id, stream)
            _discard(self._of_session, who.session_id, stream)

    def of_user(self, user_id: str) -> list[Stream]:
        """Streams of a user."""
        return list(self._of_user.get(user_id, ()))

    def of_session(self, session_id: str) -> list[Stream]:
        """Streams of a session."""
        return list(self._of_session.get(session_id, ()))

    async def run(self) -> None:
        """Sweeps until cancelled, and tells how late each sweep comes."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        while True:
            asked += _SWEEP_SECS
            await asyncio.sleep(max(0.0, asked - loop.time()))
            now = loop.time()
            metrics.LOOP_LAG.observe(now - asked)
            asked = now
            for stream in [stream for stream in self._all if stream.due <= now]:
                stream.on_due(now)


def _discard(index: defaultdict[str, set[Stream]], name: str, stream: Stream) -> None:
    index[name].discard(stream)
    if not index[name]:
        del index[name]
