"""Commands on whole accounts: cancel all, exit positions, reset, kill switch."""

from decimal import Decimal
from typing import Final

import msgspec

from services.trading.journal.entry import AccountReset, KillSwitchSet
from services.trading.orders.order import Order
from services.trading.partition.acceptance import Acceptance
from services.trading.partition.idempotency import Dispatch, OnceOnly, Outcome
from services.trading.partition.ledger import Ledger
from services.trading.partition.order_commands import CANCELLED, OrderCommands
from services.trading.partition.paper_orders import Changed, PaperOrders
from services.trading.partition.upstox_commands import UpstoxCommands
from shared.contracts.order_terms import Account, OrderType, Prices, Side, Terms, Validity
from shared.contracts.trading import AccountCommand, ExitRequest, Operation, SetKillSwitchRequest
from shared.contracts.trading_replies import KillSwitch, OrdersReply
from shared.errors import NotFound
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
        order_commands: OrderCommands,
        upstox: UpstoxCommands,
    ) -> None:
        self._ledger = ledger
        self._orders = orders
        self._once = once
        self._acceptance = acceptance
        self._order_commands = order_commands
        self._upstox = upstox

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

        No limit and no margin is checked: an exit reduces risk.
        """

        async def work() -> Outcome | Dispatch:
            if request.account is Account.UPSTOX:
                return await self._exit_at_upstox(request)
            account = self._ledger.account(request.user_id)
            today = ist_date(self._ledger.broker.time_ms)
            wanted = {
                (booked.instrument.key, booked.product)
                for booked in account.open_positions()
                if request.key == booked.instrument.key
                or (request.key is None and not booked.instrument.has_expired(today))
                if request.product in (None, booked.product)
            }
            if request.key is not None and not wanted:
                raise NotFound(f"there is no open position in {request.key} with this product")
            instruments = {
                place: await self._order_commands.instrument(*place) for place in sorted(wanted)
            }
            self._acceptance.check()
            done: list[Changed] = [
                self._orders.cancel(order, request.command_key, CANCELLED)
                for order in account.open_orders(Account.PAPER)
                if (order.terms.key, order.terms.product) in wanted
            ]
            for key, product in instruments:
                quantity = account.net_quantity(key, product)
                if not quantity:
                    continue
                prices = Prices(abs(quantity), OrderType.MARKET, Validity.DAY)
                side = Side.SELL if quantity > 0 else Side.BUY
                terms = Terms(Account.PAPER, key, side, product, prices)
                price = self._ledger.broker.ltp(key)
                done.append(
                    self._orders.accept(
                        request.user_id, terms, instruments[key, product],
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

    async def _exit_at_upstox(self, request: ExitRequest) -> Dispatch:
        positions = await self._upstox.open_positions(request.user_id)
        wanted = [
            position
            for position in positions
            if request.key in (None, position.key) and request.product in (None, position.product)
        ]
        if request.key is not None and not wanted:
            raise NotFound(f"there is no open position in {request.key} with this product")
        return await self._upstox.exit(request.user_id, request.command_key, wanted)

    def _outcome(self, user_id: str, changes: list[Changed]) -> Outcome:
        account = self._ledger.account(user_id)
        orders: list[Order] = [order for _, order in changes]
        reply = OrdersReply(orders=[account.order_view(order) for order in orders])
        records = [record for some, _ in changes for record in some]
        return Outcome(msgspec.json.encode(reply), records)
