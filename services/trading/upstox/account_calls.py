"""The calls with one access token, through the official SDK in threads."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Self, TypeVar

import upstox_client

from services.trading.settings import TradingSettings
from services.trading.upstox.account_rows import funds_view, holding_view, position_view
from services.trading.upstox.answer_reading import (
    HttpAnswer,
    read_changed,
    read_data,
    read_placed,
)
from services.trading.upstox.answers import Answer, Lost, Refused
from services.trading.upstox.call_spans import call_span, note_answer
from services.trading.upstox.call_threads import CallNotStarted, CallThreads, CallTimedOut
from services.trading.upstox.calls import SendCheck, unchecked
from services.trading.upstox.client_configuration import new_client
from services.trading.upstox.order_rows import order_names, order_row, trade_row
from services.trading.upstox.request_bodies import NotSendable, modify_body, place_body
from services.trading.upstox.row_fields import BadRow
from services.trading.upstox.rows import OrderBookRows, OrderRow, TradeRow
from services.trading.upstox.sdk_answer import NoAnswer, NotSent, http_answer
from services.trading.upstox.skipped_rows import SkippedRows
from shared.contracts.order_terms import Terms
from shared.contracts.trading_replies import Funds, Holdings, Positions
from shared.errors import UpstoxUnavailable

T = TypeVar("T")

OVERLOADED: Final = "overloaded"
"""Code of a refusal on this side: too many calls are waiting. Nothing was sent."""
NOT_SENT: Final = "not_sent"
"""Code of a refusal on this side: no connection, or terms that cannot be sent."""

_API_VERSION: Final = "2.0"
_NO_ORDER: Final = "UDAPI100010"


class AccountCalls:
    """Implements UpstoxCalls for one access token.

    Commands go on in their thread when the awaiting task is cancelled, and their answer is then
    lost without a trace: the caller must shield them.
    """

    def __init__(
        self,
        client: Any,
        settings: TradingSettings,
        skipped: SkippedRows,
        *,
        command_threads: CallThreads,
        read_threads: CallThreads,
    ) -> None:
        self._client = client
        self._skipped = skipped
        self._command_threads = command_threads
        self._read_threads = read_threads
        self._has_reads = not settings.upstox_sandbox
        self._place_and_change = upstox_client.OrderApiV3(client)
        self._orders = upstox_client.OrderApi(client)
        self._portfolio = upstox_client.PortfolioApi(client)
        self._user = upstox_client.UserApi(client)
        self._sockets = upstox_client.WebsocketApi(client)
        timeout_secs = settings.upstox.timeout_secs
        self._options: dict[str, Any] = {
            "_preload_content": False,
            "_request_timeout": (timeout_secs, timeout_secs),  # to connect, for each read
        }
        self._command_options = dict(self._options)
        if settings.upstox_algo_name:
            self._command_options["algo_name"] = settings.upstox_algo_name
        # Above the sum of connecting, waiting for the answer and reading its body.
        self._deadline_secs = 3 * timeout_secs + 1.0

    @classmethod
    async def open(
        cls,
        settings: TradingSettings,
        access_token: str,
        skipped: SkippedRows,
        *,
        command_threads: CallThreads,
        read_threads: CallThreads,
    ) -> Self:
        """The calls with a new client."""
        client = await asyncio.to_thread(new_client, settings, access_token)
        return cls(
            client, settings, skipped, command_threads=command_threads, read_threads=read_threads
        )

    def close(self) -> None:
        """Close idle connections; calls that are under way go on."""
        self._client.rest_client.pool_manager.close()

    async def place(self, terms: Terms, tag: str, check: SendCheck = unchecked) -> Answer:
        """Send a new order once."""
        try:
            body = upstox_client.PlaceOrderV3Request(**place_body(terms, tag))
        except NotSendable as error:
            return Refused(NOT_SENT, str(error))
        call = partial(self._place_and_change.place_order, body)
        return await self._command(call, read_placed, check)

    async def modify(
        self, broker_order_id: str, terms: Terms, check: SendCheck = unchecked
    ) -> Answer:
        """Send the new terms of an order once."""
        try:
            body = upstox_client.ModifyOrderRequest(**modify_body(broker_order_id, terms))
        except NotSendable as error:
            return Refused(NOT_SENT, str(error))
        return await self._command(
            partial(self._place_and_change.modify_order, body),
            partial(read_changed, broker_order_id=broker_order_id),
            check,
        )

    async def cancel(self, broker_order_id: str, check: SendCheck = unchecked) -> Answer:
        """Send a cancellation once."""
        return await self._command(
            partial(self._place_and_change.cancel_order, broker_order_id),
            partial(read_changed, broker_order_id=broker_order_id),
            check,
        )

    async def orders(self) -> OrderBookRows:
        """The order book of the day."""

        def read(answer: HttpAnswer) -> OrderBookRows:
            listed = _listed(answer)
            rows = self._skipped.read_each("order", listed, order_row)
            try:
                names = frozenset[str]().union(*map(order_names, listed))
            except BadRow:  # it is counted as a skipped row
                return OrderBookRows(rows, None)
            return OrderBookRows(rows, names)

        return await self._read(partial(self._orders.get_order_book, _API_VERSION), read)

    async def orders_of_tag(self, tag: str) -> list[OrderRow]:
        """All states of all orders with this tag."""
        call = partial(self._orders.get_order_details, _API_VERSION, tag=tag)
        rows = await self._rows(call, "order", order_row, nothing_code=_NO_ORDER)
        return [row for row in rows if row.tag == tag]

    async def trades(self) -> list[TradeRow]:
        """All trades of the day."""
        call = partial(self._orders.get_trade_history, _API_VERSION)
        return await self._rows(call, "trade", trade_row)

    async def positions(self) -> Positions:
        """Positions of the day, without charges."""
        call = partial(self._portfolio.get_positions, _API_VERSION)
        return Positions(positions=await self._rows(call, "position", position_view))

    async def holdings(self) -> Holdings:
        """Shares in the demat account and T1."""
        call = partial(self._portfolio.get_holdings, _API_VERSION)
        return Holdings(holdings=await self._rows(call, "holding", holding_view))

    async def funds(self) -> Funds:
        """Money of the account, from the v3 call alone: v2 has less, and the same hours."""
        data = await self._read(self._user.get_user_fund_margin_v3, read_data)
        try:
            return funds_view(data)
        except BadRow as error:
            self._skipped.skip("funds", error)
            raise UpstoxUnavailable(f"funds: {error}") from None

    async def stream_address(self) -> str:
        """A WebSocket address of the portfolio stream, for one connection within a minute."""
        call = partial(self._sockets.get_portfolio_stream_feed_authorize, _API_VERSION)
        data = await self._read(call, read_data)
        fields = data if isinstance(data, dict) else {}
        url = fields.get("authorized_redirect_uri") or fields.get("authorizedRedirectUri")
        if not isinstance(url, str) or not url.startswith(("ws://", "wss://")):
            raise UpstoxUnavailable("the answer has no WebSocket address")
        return url

    async def _command(
        self, call: Callable[..., Any], read: Callable[[HttpAnswer], Answer], check: SendCheck
    ) -> Answer:
        with call_span(call) as span:
            answer = await self._sent(partial(call, **self._command_options), read, check)
            note_answer(span, answer)
            return answer

    async def _sent(
        self, call: Callable[..., Any], read: Callable[[HttpAnswer], Answer], check: SendCheck
    ) -> Answer:
        try:
            # The call may have waited for a thread, so it is checked in the thread.
            answer = await self._command_threads.run(
                lambda: check() or http_answer(call), self._deadline_secs
            )
        except CallNotStarted as error:
            return Refused(OVERLOADED, f"not sent: {error}")
        except NotSent as error:
            return Refused(NOT_SENT, str(error))
        except (NoAnswer, CallTimedOut) as error:
            return Lost(str(error))
        return answer if isinstance(answer, Refused) else read(answer)

    async def _rows(
        self,
        call: Callable[..., Any],
        kind: str,
        read_row: Callable[[object], T],
        *,
        nothing_code: str | None = None,
    ) -> list[T]:
        def read(answer: HttpAnswer) -> list[T]:
            return self._skipped.read_each(kind, _listed(answer, nothing_code), read_row)

        return await self._read(call, read)

    async def _read(self, call: Callable[..., Any], read: Callable[[HttpAnswer], T]) -> T:
        """The decoded answer. The thread decodes it: a day's orders take tens of milliseconds."""
        if not self._has_reads:
            raise UpstoxUnavailable("the sandbox of Upstox has commands only")
        get = partial(call, **self._options)
        with call_span(call):
            try:
                return await self._read_threads.run(
                    lambda: read(http_answer(get)), self._deadline_secs
                )
            except (CallNotStarted, CallTimedOut, NotSent, NoAnswer) as error:
                raise UpstoxUnavailable(str(error)) from None


def _listed(answer: HttpAnswer, nothing_code: str | None = None) -> list[object]:
    rows = read_data(answer, nothing_code)
    if not isinstance(rows, list):
        raise UpstoxUnavailable("the data are not a list")
    return rows
