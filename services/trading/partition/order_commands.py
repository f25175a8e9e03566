"""Commands on orders: place, preview, modify, cancel.

A command first waits for what it needs. Then it checks and changes the ledger in one step
without a wait, so that no other command comes in between.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import msgspec

from services.trading import metrics
from services.trading.bus.price_bands import PriceBands
from services.trading.orders.instrument import OrderInstrument, order_instrument
from services.trading.orders.order import Order
from services.trading.partition.acceptance import Acceptance
from services.trading.partition.assessment import Assessor
from services.trading.partition.idempotency import Dispatch, OnceOnly, Outcome
from services.trading.partition.ledger import Ledger
from services.trading.partition.paper_orders import PaperOrders
from services.trading.partition.prices import Prices
from services.trading.partition.request_terms import changed_prices, terms_of
from services.trading.partition.trading_days import ORDER_PREFIX as SQUARE_OFF_PREFIX
from services.trading.partition.upstox_commands import UpstoxCommands
from shared.contracts import order_terms
from shared.contracts.instruments import Instrument
from shared.contracts.order_terms import Account, Product
from shared.contracts.trading import (
    CancelRequest,
    ModifyRequest,
    Operation,
    OrderRequest,
    PreviewChangesRequest,
)
from shared.contracts.trading_replies import Preview
from shared.errors import NotFound, OrderFinal, OrderRefused
from shared.market.exchange_time import ist_date

FindInstrument = Callable[[str], Awaitable[Instrument | None]]
CANCELLED: Final = "cancelled by the user"


class OrderCommands:
    """The commands of one term."""

    def __init__(
        self,
        ledger: Ledger,
        orders: PaperOrders,
        once: OnceOnly,
        acceptance: Acceptance,
        assessor: Assessor,
        prices: Prices,
        bands: PriceBands,
        find_instrument: FindInstrument,
        upstox: UpstoxCommands,
    ) -> None:
        self._ledger = ledger
        self._orders = orders
        self._once = once
        self._acceptance = acceptance
        self._assessor = assessor
        self._prices = prices
        self._bands = bands
        self._find_instrument = find_instrument
        self._upstox = upstox

    async def place(self, request: OrderRequest) -> msgspec.Raw:
        """Place an order. Raises OrderRefused if a check refuses it."""

        async def work() -> Outcome | Dispatch:
            terms = terms_of(request)
            instrument = await self.instrument(request.key, request.product, terms.prices)
            if request.account is Account.UPSTOX:
                return await self._upstox.place(request.user_id, terms, instrument)
            self._acceptance.check()
            account = self._ledger.account(request.user_id)
            assessment = self._assessor.assess(account, terms, instrument)
            self._assessor.count(request.user_id)
            if assessment.refusal is not None:
                metrics.REFUSALS.labels(assessment.refusal.members["rule"]).inc()
                raise assessment.refusal
            records, order = self._orders.accept(
                request.user_id,
                msgspec.structs.replace(
                    terms, market_protection_percent=assessment.protection_percent
                ),
                instrument,
                margin=assessment.margin,
                reference_price=assessment.price,
            )
            return Outcome(msgspec.json.encode(account.order_view(order)), records)

        return await self._once.answer(Operation.PLACE, request, work)

    async def preview(self, request: OrderRequest) -> Preview:
        """All checks, margin and charges of an order; nothing is changed."""
        terms = terms_of(request)
        instrument = await self.instrument(request.key, request.product, terms.prices)
        self._acceptance.check_owner()
        if request.account is Account.UPSTOX:
            return await self._upstox.preview(request.user_id, terms, instrument)
        account = self._ledger.account(request.user_id)
        return self._assessor.assess(account, terms, instrument).preview

    async def preview_changes(self, request: PreviewChangesRequest) -> Preview:
        """The same for an open order with new terms. Raises NotFound, OrderFinal or OrderRefused."""
        order = self._changeable(request.user_id, request.order_id)
        prices = changed_prices(order, request)
        if order.terms.account is Account.UPSTOX:
            instrument = await self.instrument(order.terms.key, order.terms.product, prices)
            self._acceptance.check_owner()
            changed = partial(changed_prices, request=request)
            return await self._upstox.preview_changes(order, changed, instrument)
        await self._market_of(order.terms.key, prices)
        self._acceptance.check_owner()
        order = self._changeable(request.user_id, request.order_id)
        terms = msgspec.structs.replace(order.terms, prices=changed_prices(order, request))
        account = self._ledger.account(request.user_id)
        instrument = account.instrument_of(order.order_id)
        return self._assessor.assess(account, terms, instrument, changes=order).preview

    async def modify(self, request: ModifyRequest) -> msgspec.Raw:
        """Change an open order. Raises NotFound, OrderFinal or OrderRefused."""

        async def work() -> Outcome | Dispatch:
            order = self._changeable(request.user_id, request.order_id)
            prices = changed_prices(order, request)
            if order.terms.account is Account.UPSTOX:
                instrument = await self.instrument(order.terms.key, order.terms.product, prices)
                changed = partial(changed_prices, request=request)
                return await self._upstox.modify(order, changed, instrument, request.command_key)
            await self._market_of(order.terms.key, prices)
            self._acceptance.check()
            order = self._changeable(request.user_id, request.order_id)
            prices = changed_prices(order, request)
            account = self._ledger.account(request.user_id)
            terms = msgspec.structs.replace(order.terms, prices=prices)
            instrument = account.instrument_of(order.order_id)
            assessment = self._assessor.assess(account, terms, instrument, changes=order)
            self._assessor.count(request.user_id)
            if assessment.refusal is not None:
                raise assessment.refusal
            records, order = self._orders.modify(
                order, prices, request.command_key, margin=assessment.margin
            )
            return Outcome(msgspec.json.encode(account.order_view(order)), records)

        return await self._once.answer(Operation.MODIFY, request, work)

    async def cancel(self, request: CancelRequest) -> msgspec.Raw:
        """Cancel an open order. Raises NotFound or OrderFinal."""

        async def work() -> Outcome | Dispatch:
            self._acceptance.check()
            order = self._open_order(request.user_id, request.order_id)
            if order.terms.account is Account.UPSTOX:
                return await self._upstox.cancel(order, request.command_key)
            records, order = self._orders.cancel(order, request.command_key, CANCELLED)
            account = self._ledger.account(request.user_id)
            return Outcome(msgspec.json.encode(account.order_view(order)), records)

        return await self._once.answer(Operation.CANCEL, request, work)

    async def instrument(
        self, key: str, product: Product, prices: order_terms.Prices | None = None
    ) -> OrderInstrument:
        """The instrument, once its market is known well enough to check `prices`.

        Raises OrderRefused.
        """
        found = await self._find_instrument(key)
        if found is None:
            raise OrderRefused(
                f"instrument: {key} is not in the instruments master",
                field="key",
                rule="instrument",
                value=key,
            )
        today = ist_date(self._ledger.broker.time_ms)
        instrument = order_instrument(found, product, today)
        await self._market_of(key, prices)
        return instrument

    async def _market_of(self, key: str, prices: order_terms.Prices | None) -> None:
        """Wait for what the checks need to know of the market. Raises OrderRefused."""
        await self._prices.wait_for(key)
        if prices is not None:
            await self._bands.wait_for(key, (prices.price, prices.trigger_price))
        await self._assessor.ready()

    def _changeable(self, user_id: str, order_id: str) -> Order:
        order = self._open_order(user_id, order_id)
        if order_id.startswith(SQUARE_OFF_PREFIX):
            raise OrderRefused(
                "product: the order squares off an intraday position, and cannot be changed",
                rule="product",
                value=order.terms.product.value,
            )
        return order

    def _open_order(self, user_id: str, order_id: str) -> Order:
        order = self._ledger.account(user_id).orders.get(order_id)
        if order is None:
            raise NotFound(f"there is no order {order_id} of this trading day")
        if order.state.is_final:
            raise OrderFinal(f"the order is {order.state.value} and can no longer be changed")
        return order
