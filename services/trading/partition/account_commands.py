"""Commands on whole accounts: cancel all, exit positions, reset, kill switch."""

from decimal import Decimal
from typing import Final

import msgspec

from services.trading.journal.entry import AccountReset, KillSwitchSet
from services.trading.orders.instrument import OrderInstrument
from services.trading.orders.order import Order
from services.trading.partition.acceptance import Acceptance
from services.trading.partition.idempotency import Dispatch, OnceOnly, Outcome
from services.trading.partition.ledger import Ledger
from services.trading.partition.order_commands import CANCELLED
from services.trading.partition.paper_orders import Changed, PaperOrders
from services.trading.partition.upstox_commands import UpstoxCommands
from services.trading.partition.upstox_exits import UpstoxExits
from services.trading.portfolio.account import PaperAccount
from shared.contracts.order_terms import Account, OrderType, Prices, Product, Side, Terms, Validity
from shared.contracts.trading import AccountCommand, ExitRequest, Operation, SetKillSwitchRequest
from shared.contracts.trading_replies import KillSwitch, OrdersReply
from shared.errors import NotFound, OrderRefused
from shared.market.exchange_time import ist_date

_NO_MARGIN: Final = Decimal(0)


class AccountCommands:
    """The commands of one term."""

    def __init__(
        self,
        ledger: Ledger,
        orders: PaperOrders,
        once: OnceOnly,
        acceptance: Acceptance,
        upstox: UpstoxCommands,
        upstox_exits: UpstoxExits,
    ) -> None:
        self._ledger = ledger
        self._orders = orders
        self._once = once
        self._acceptance = acceptance
        self._upstox = upstox
        self._upstox_exits = upstox_exits

    async def cancel_all(self, request: AccountCommand) -> msgspec.Raw:
        """Cancel all open orders."""

        async def work() -> Outcome | Dispatch:
            self._acceptance.check()
            if request.account is Account.UPSTOX:
                return await self._upstox.cancel_all(request.user_id, request.command_key)
            open_orders = self._ledger.account(request.user_id).open_orders(Account.PAPER)
            return self._outcome(
                request.user_id,
                [
                    self._orders.cancel(order, request.command_key, CANCELLED)
                    for order in open_orders
                ],
            )

        return await self._once.answer(Operation.CANCEL_ALL, request, work)

    async def exit(self, request: ExitRequest) -> msgspec.Raw:
        """Close one position, or all, by market orders; their open orders are cancelled first.

        No limit and no margin is checked: an exit reduces risk. It waits for no price either: the
        order rests until the instrument has a quote.
        """

        async def work() -> Outcome | Dispatch:
            if request.account is Account.UPSTOX:
                return await self._upstox_exits.exit(request)
            self._acceptance.check()
            account = self._ledger.account(request.user_id)
            wanted = self._wanted(account, request)
            done: list[Changed] = [
                self._orders.cancel(order, request.command_key, CANCELLED)
                for order in account.open_orders(Account.PAPER)
                if (order.terms.key, order.terms.product) in wanted
            ]
            for (key, product), (instrument, quantity) in sorted(wanted.items()):
                prices = Prices(abs(quantity), OrderType.MARKET, Validity.DAY)
                side = Side.SELL if quantity > 0 else Side.BUY
                terms = Terms(Account.PAPER, key, side, product, prices)
                price = self._ledger.broker.ltp(key)
                done.append(
                    self._orders.accept(
                        request.user_id, terms, instrument,
                        margin=_NO_MARGIN, reference_price=price,
                    )
                )  # fmt: skip
            return self._outcome(request.user_id, done)

        return await self._once.answer(Operation.EXIT, request, work)

    async def reset(self, request: AccountCommand) -> msgspec.Raw:
        """Begin the paper account anew."""

        async def work() -> Outcome:
            self._acceptance.check()
            account = self._ledger.account(request.user_id)
            records = self._ledger.lock_after_loss(account)  # a reset does not lift the lock
            for order in account.open_orders(Account.PAPER):
                records += self._orders.cancel(order, request.command_key, "account reset")[0]
            body = AccountReset(at_ms=self._ledger.broker.time_ms)
            records.append(self._ledger.record(request.user_id, body))
            funds = account.funds(self._ledger.broker.ltp)
            return Outcome(msgspec.json.encode(funds), records)

        return await self._once.answer(Operation.RESET, request, work)

    async def set_kill_switch(self, request: SetKillSwitchRequest) -> msgspec.Raw:
        """Stop new orders of the user, or allow them again."""

        async def work() -> Outcome:
            self._acceptance.check()
            body = KillSwitchSet(is_on=request.is_on, at_ms=self._ledger.broker.time_ms)
            record = self._ledger.record(request.user_id, body)
            return Outcome(msgspec.json.encode(KillSwitch(is_on=request.is_on)), [record])

        return await self._once.answer(Operation.SET_KILL_SWITCH, request, work)

    def _wanted(
        self, account: PaperAccount, request: ExitRequest
    ) -> dict[tuple[str, Product], tuple[OrderInstrument, int]]:
        """The signed quantities to close. Raises NotFound, or OrderRefused for an expired contract.

        The exit of all positions does not buy back shares that were sold from the holding.
        """
        today = ist_date(self._ledger.broker.time_ms)
        wanted = {}
        for booked in account.open_positions():
            instrument, product = booked.instrument, booked.product
            if request.product not in (None, product) or request.key not in (None, instrument.key):
                continue
            if instrument.has_expired(today):
                if request.key is None:
                    continue
                raise OrderRefused(
                    f"instrument: {instrument.key} expired on {instrument.expiry}",
                    field="key",
                    rule="instrument",
                    value=instrument.key,
                )
            quantity = booked.position.quantity
            if request.key is None:
                quantity = account.exposed_quantity(booked)
            if quantity:
                wanted[instrument.key, product] = instrument, quantity
        if request.key is not None and not wanted:
            raise NotFound(f"there is no open position in {request.key} with this product")
        return wanted

    def _outcome(self, user_id: str, changes: list[Changed]) -> Outcome:
        account = self._ledger.account(user_id)
        orders: list[Order] = [order for _, order in changes]
        reply = OrdersReply(orders=[account.order_view(order) for order in orders])
        records = [record for some, _ in changes for record in some]
        return Outcome(msgspec.json.encode(reply), records)
