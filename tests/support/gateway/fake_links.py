"""The trading side of links: keeps logins and links in memory, as the trading service does."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from shared.bus.requests import send_request_encoded
from shared.bus.responder import Handler, Responder
from shared.contracts.trading import trading_subject
from shared.contracts.upstox_links import (
    LinkBeginReply,
    LinkBeginRequest,
    LinkFinishRequest,
    LinkHint,
    LinkHintReply,
    LinkOperation,
    LinkPurpose,
    LinkRequestRequest,
    LinkState,
    LinkStatusRequest,
    LinkView,
    UnlinkRequest,
)
from shared.errors import Forbidden, LinkStateInvalid, RequestError, Unavailable
from shared.runtime.clock import SystemClock
from tests.support.builders import MONDAY_10_00
from tests.support.buses import bus_of
from tests.support.servers import NatsServer
from tests.support.services import running_components
from tests.support.waiting import eventually

CLOCK: Final = SystemClock()
LINKED: Final = LinkView(
    purpose=LinkPurpose.TRADING, state=LinkState.LINKED, own_app=False, live_trading=True,
    upstox_user_id="7BB2AA", user_name="Asha Rao", linked_at=MONDAY_10_00,
    expires_at=MONDAY_10_00 + 1,
)  # fmt: skip
LOGIN_URL: Final = "https://upstox.example/dialog?state="

_Link = tuple[str, LinkPurpose]


class FakeLinks:
    """The requests that it got; `error`, if set, is its answer to all further ones.

    `lost_answers` is the number of further requests that are noted and never answered.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[int, LinkOperation, Any]] = []
        """Partition, operation and request."""
        self.error: RequestError | None = None
        self.lost_answers = 0
        self.logins: dict[str, _Link] = {}
        """Started logins by state."""
        self.links: dict[_Link, LinkView] = {}
        self.linked_as = LINKED
        """What a finished login makes."""

    @property
    def last(self) -> Any:
        """The last request."""
        return self.requests[-1][2]

    def hints(self) -> list[LinkHint]:
        """All hints."""
        return [request for _, _, request in self.requests if isinstance(request, LinkHint)]

    def begin(self, request: LinkBeginRequest) -> LinkBeginReply:
        """Start a login."""
        state = f"{request.user_id}.{secrets.token_urlsafe(32)}"
        self.logins[state] = (request.user_id, request.purpose)
        return LinkBeginReply(login_url=LOGIN_URL + state, expires_at=MONDAY_10_00)

    def finish(self, request: LinkFinishRequest) -> LinkView:
        """Use a state up."""
        login = self.logins.pop(request.state, None)
        if login is None or login[0] != request.user_id:
            raise LinkStateInvalid("start the login again")
        if login[1] is LinkPurpose.FEED and not request.is_admin:
            raise Forbidden("only administrators may link the account of the market feed")
        self.links[login] = msgspec.structs.replace(self.linked_as, purpose=login[1])
        return self.links[login]

    def status(self, request: LinkStatusRequest) -> LinkView:
        """The link of a user."""
        unlinked = LinkView(
            purpose=request.purpose, state=LinkState.UNLINKED, own_app=False, live_trading=True
        )
        return self.links.get((request.user_id, request.purpose), unlinked)

    def renew(self, request: LinkRequestRequest) -> LinkView:
        """Wait for a token."""
        return LinkView(
            purpose=request.purpose, state=LinkState.WAITING, own_app=False, live_trading=True
        )

    def unlink(self, request: UnlinkRequest) -> LinkView:
        """Forget a link."""
        self.links.pop((request.user_id, request.purpose), None)
        return self.status(LinkStatusRequest(user_id=request.user_id, purpose=request.purpose))

    def hint(self, _: LinkHint) -> LinkHintReply:
        """Take a hint."""
        return LinkHintReply(taken=True)

    def handlers(self, partitions: int) -> dict[str, Handler[Any]]:
        """A handler of each operation of each partition, by subject; that of the status is the last."""
        operations: dict[LinkOperation, tuple[type[msgspec.Struct], Callable[[Any], Any]]] = {
            LinkOperation.LINK_BEGIN: (LinkBeginRequest, self.begin),
            LinkOperation.LINK_FINISH: (LinkFinishRequest, self.finish),
            LinkOperation.LINK_REQUEST: (LinkRequestRequest, self.renew),
            LinkOperation.UNLINK: (UnlinkRequest, self.unlink),
            LinkOperation.LINK_HINT: (LinkHint, self.hint),
            LinkOperation.LINK_STATUS: (LinkStatusRequest, self.status),
        }
        return {
            trading_subject(partition, operation): Handler(
                request_type, self._handler(partition, operation, answer)
            )
            for partition in range(partitions)
            for operation, (request_type, answer) in operations.items()
        }

    def _handler(
        self, partition: int, operation: LinkOperation, answer: Callable[[Any], Any]
    ) -> Callable[[Any], Awaitable[msgspec.Struct]]:
        async def handle(request: Any) -> msgspec.Struct:
            self.requests.append((partition, operation, request))
            if self.lost_answers:
                self.lost_answers -= 1
                raise TimeoutError  # the responder drops the request
            if self.error is not None:
                raise self.error
            reply: msgspec.Struct = answer(request)
            return reply

        return handle


@asynccontextmanager
async def answering_links(nats: NatsServer, *, partitions: int = 1) -> AsyncIterator[FakeLinks]:
    """A trading service that answers requests about links for all `partitions`."""
    fake = FakeLinks()
    async with bus_of(nats, "trading") as bus, bus_of(nats, "gateway") as gateway:
        responder = Responder(
            bus, CLOCK, fake.handlers(partitions),
            queue_group="trading", max_concurrent=4, max_queued=64,
        )  # fmt: skip

        async def answers() -> bool:
            # The responder subscribes to this subject last.
            subject = trading_subject(partitions - 1, LinkOperation.LINK_STATUS)
            query = LinkStatusRequest(user_id="nobody", purpose=LinkPurpose.TRADING)
            try:
                await send_request_encoded(gateway, CLOCK, subject, query, timeout_secs=0.1)
            except Unavailable:
                return False
            return True

        async with running_components([responder]):
            await eventually(answers, what="trading answers")
            fake.requests.clear()
            yield fake
