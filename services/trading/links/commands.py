"""Answers the requests about links of one partition's users."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import msgspec

from services.trading.links.directory import LinkDirectory, OpenedLink
from services.trading.links.login import LinkLogin
from services.trading.links.store import LinkStore
from services.trading.links.token_hints import TokenHints
from shared.bus.responder import Handler
from shared.contracts.upstox_links import (
    HintKind,
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
from shared.errors import ConfigError, RequestError, Unavailable
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

RequestT = TypeVar("RequestT", bound=msgspec.Struct)
_DIED: Final = "the token died at 03:30 IST; log in again"


class LinkCommands:
    """The handlers; they raise RequestError, or PyMongoError while the database is unavailable."""

    def __init__(
        self,
        login: LinkLogin,
        directory: LinkDirectory,
        store: LinkStore,
        hints: TokenHints,
        clock: Clock,
        *,
        live_trading: bool,
        on_order_hint: Callable[[LinkHint], bool],
    ) -> None:
        """`on_order_hint` gets messages about orders; it returns whether it looks into them."""
        self._login = login
        self._directory = directory
        self._store = store
        self._hints = hints
        self._clock = clock
        self._live_trading = live_trading
        self._on_order_hint = on_order_hint

    def handlers(self) -> dict[LinkOperation, Handler[Any]]:
        """All handlers, by operation."""
        return {
            LinkOperation.LINK_BEGIN: _handler(LinkBeginRequest, self.begin),
            LinkOperation.LINK_FINISH: _handler(LinkFinishRequest, self.finish),
            LinkOperation.LINK_STATUS: _handler(LinkStatusRequest, self.status),
            LinkOperation.LINK_REQUEST: _handler(LinkRequestRequest, self.request),
            LinkOperation.UNLINK: _handler(UnlinkRequest, self.unlink),
            LinkOperation.LINK_HINT: _handler(LinkHint, self.hint),
        }

    async def begin(self, request: LinkBeginRequest) -> LinkBeginReply:
        """Where the user's browser must go."""
        return await self._login.begin(request)

    async def finish(self, request: LinkFinishRequest) -> LinkView:
        """The new link."""
        with self._doubts(request.user_id):
            stored, token = await self._login.finish(request)
        self._directory.put(stored, token)
        return self._view(stored.purpose, OpenedLink(stored, token))

    async def status(self, request: LinkStatusRequest) -> LinkView:
        """The link as it is now."""
        return self._view(request.purpose, await self._find(request.user_id, request.purpose))

    async def request(self, request: LinkRequestRequest) -> LinkView:
        """The link, which waits for a token."""
        with self._doubts(request.user_id):
            stored = await self._login.request(request.user_id, request.purpose)
        self._directory.note_waiting(stored)
        return self._view(request.purpose, await self._find(request.user_id, request.purpose))

    async def unlink(self, request: UnlinkRequest) -> LinkView:
        """No link. Also if there was none: the request may be a repeat."""
        with self._doubts(request.user_id):
            stored = await self._login.unlink(request.user_id, request.purpose)
        is_trading = request.purpose is LinkPurpose.TRADING
        removed = self._directory.remove(request.user_id) if is_trading else None
        if stored is not None:
            await self._login.log_out(stored, removed.token if removed else None)
        return self._view(request.purpose, None)

    async def hint(self, hint: LinkHint) -> LinkHintReply:
        """Whether the message will be looked into."""
        put = self._hints.put if hint.kind is HintKind.TOKEN else self._on_order_hint
        return LinkHintReply(taken=put(hint))

    @contextmanager
    def _doubts(self, user_id: str) -> Iterator[None]:
        """If the block is cancelled or the database fails, what was stored is read again."""
        is_certain = False
        try:
            yield
            is_certain = True
        except RequestError:
            is_certain = True  # nothing was stored
            raise
        finally:
            if not is_certain:
                self._directory.doubt(user_id)

    async def _find(self, user_id: str, purpose: LinkPurpose) -> OpenedLink | None:
        if purpose is LinkPurpose.TRADING:
            return self._directory.find(user_id)
        stored = await self._store.link(user_id, purpose)
        return None if stored is None else await self._directory.opened(stored)

    def _view(self, purpose: LinkPurpose, opened: OpenedLink | None) -> LinkView:
        if opened is None:
            return LinkView(
                purpose=purpose,
                state=LinkState.UNLINKED,
                own_app=False,
                live_trading=self._live_trading,
            )
        stored, now_ms = opened.stored, self._clock.now_ms()
        is_alive = opened.is_alive(now_ms)
        if (stored.waiting_until_ms or 0) > now_ms:
            state = LinkState.WAITING
        else:
            state = LinkState.LINKED if is_alive else LinkState.EXPIRED
        return LinkView(
            purpose=purpose,
            state=state,
            own_app=stored.own_app,
            live_trading=self._live_trading,
            upstox_user_id=stored.upstox_user_id,
            user_name=stored.user_name or None,
            linked_at=stored.linked_ms,
            expires_at=stored.expires_ms,
            detail=stored.detail or (None if is_alive else _DIED),
        )


def _handler(
    request_type: type[RequestT], handle: Callable[[RequestT], Awaitable[msgspec.Struct]]
) -> Handler[RequestT]:
    async def handle_or_unavailable(request: RequestT) -> msgspec.Struct:
        try:
            return await handle(request)
        except ConfigError as error:
            log.warning("sealing keys cannot be used", problems=error.problems)
            raise Unavailable("accounts cannot be linked: the operator must act") from None

    return Handler(request_type, handle_or_unavailable)
