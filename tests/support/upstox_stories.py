"""Stories of users at a simulated Upstox, told at the same time against one trading service."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from shared.bus.connection import Bus
from shared.contracts.order_terms import Account, OrderType, Side
from shared.contracts.trading import CancelRequest, ModifyRequest, Operation, OrdersQuery
from shared.contracts.trading_replies import Orders, OrderView, Trades
from shared.errors import LinkStateInvalid
from tests.support.builders import KEY
from tests.support.patience import PATIENCE_SECS
from tests.support.trading_chaos import repeated
from tests.support.trading_client import TradingClient, order_request
from tests.support.upstox_stage import Stage
from tests.support.upstox_story_check import (
    Books,
    Finding,
    Wrong,
    compare,
    events_that_go_backwards,
)
from tests.support.upstox_story_commands import NOT_ANSWERED, NOT_DONE, TRY_SECS, StoryCommands
from tests.support.upstox_story_plan import (
    LONGEST_DELAY_SECS,
    Arm,
    Change,
    Elsewhere,
    Fill,
    NewLogin,
    Place,
    Step,
    plan,
    resting_price,
)
from tests.support.upstox_trading import link_account
from tests.support.waiting import eventually

SETTLE_SECS: Final = 2 * PATIENCE_SECS
_RESTING: Final = frozenset({"open", "trigger pending"})


class Story:
    """One user, who has an account at the simulator, and one story."""

    def __init__(self, made: Stage, bus: Bus, seed: int) -> None:
        self.seed = seed
        self._upstox = made.upstox
        self._upstox_user = f"S{seed}"
        self._client = TradingClient(bus, f"story-{seed}")
        self._commands = StoryCommands(made, self._client, self._upstox_user)
        self._orders: list[tuple[str, str]] = []
        """Order id and side of each order of which the user was told."""
        self._ids: dict[str, set[str]] = {}
        """By command key, the order ids that were told."""
        self._refused: set[int] = set()
        """The quantities of orders that were told not to exist."""
        self._doubled = 0
        self.tally = self._commands.tally

    async def begin(self) -> None:
        """Link the account."""
        await self._client.receive()
        await self._log_in()

    async def tell(self) -> None:
        """Take all steps."""
        for step in plan(self.seed):
            await self._step(step)
        for fault in await self._upstox.get("faults"):
            is_unused = fault["kind"] == "doubled" and fault["user_id"] == self._upstox_user
            self._doubled -= is_unused

    async def findings(self) -> list[Finding]:
        """What stays wrong, after a while in which nothing happens."""
        last: list[Finding] = []
        views: list[OrderView] = []

        async def agrees() -> bool:
            nonlocal last, views
            last, views = await self._differences()
            return not last

        try:
            await eventually(agrees, what="view and ledger agree", timeout_secs=SETTLE_SECS)
        except AssertionError:
            return last
        self.tally += Counter(f"order {view.state} at the end" for view in views)
        return events_that_go_backwards(self._client.events)

    async def _differences(self) -> tuple[list[Finding], list[OrderView]]:
        """What differs now, and the orders of which the user is told."""
        rows, fills = await self._rows("orders"), await self._rows("fills")
        query = OrdersQuery(user_id=self._client.user_id, account=Account.UPSTOX)
        orders = (await repeated(self._client, Operation.ORDERS, query, Orders)).orders
        trades = (await repeated(self._client, Operation.TRADES, query, Trades)).trades
        found = compare(Books(rows, fills, orders, trades), doubled=self._doubled)
        for row in rows:
            if row["quantity"] in self._refused:
                words = f"order {row['order_id']} exists, the user was told that it does not"
                found.append(Finding(Wrong.TOLD_WRONG, words))
        for key, ids in self._ids.items():
            if len(ids) > 1:
                found.append(Finding(Wrong.DOUBLED, f"answers to {key} name {sorted(ids)}"))
        return found, orders

    async def _rows(self, ledger: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = await self._upstox.get(ledger)
        return [row for row in rows if row["user_id"] == self._upstox_user]

    async def _step(self, step: Step) -> None:
        match step:
            case Arm(fault=fault):
                self._doubled += fault["kind"] == "doubled"
                await self._upstox.post("faults", fault | {"user_id": self._upstox_user})
            case Place():
                await self._place(step)
            case Change():
                await self._change(step)
            case Elsewhere():
                await self._elsewhere(step)
            case Fill():
                await self._fill(step)
            case NewLogin():
                user = {"alive": False, "user_id": self._upstox_user}
                await self._upstox.post("faults/tokens", user)
                await self._log_in()

    async def _place(self, step: Place) -> None:
        fields: dict[str, Any] = {"order_type": OrderType.MARKET}
        if step.price is not None:
            fields = {"order_type": OrderType.LIMIT, "price": Decimal(step.price)}
        request = order_request(
            step.key, user_id=self._client.user_id, account=Account.UPSTOX,
            side=Side(step.side), quantity=step.quantity, **fields,
        )  # fmt: skip
        answers = await self._commands.answers(Operation.PLACE, request, step.sending)
        ids = self._ids.setdefault(step.key, set())
        for answer in answers:
            if isinstance(answer, OrderView):
                ids.add(answer.order_id)
            elif isinstance(answer, NOT_DONE):
                self._refused.add(step.quantity)
        self._orders += [(order_id, step.side) for order_id in ids]

    async def _change(self, step: Change) -> None:
        if not self._orders:
            return
        order_id, side = self._orders[step.order % len(self._orders)]
        user_id = self._client.user_id
        request: CancelRequest | ModifyRequest
        if step.offset is None:
            operation = Operation.CANCEL
            request = CancelRequest(user_id=user_id, command_key=step.key, order_id=order_id)
        else:
            operation = Operation.MODIFY
            price = Decimal(resting_price(side, step.offset))
            request = ModifyRequest(
                user_id=user_id, command_key=step.key, order_id=order_id, price=price
            )
        await self._commands.answers(operation, request, step.sending)

    async def _elsewhere(self, step: Elsewhere) -> None:
        body = {
            "user_id": self._upstox_user, "quantity": step.quantity, "product": "I",
            "validity": "DAY", "price": step.price or 0, "instrument_token": KEY,
            "order_type": "MARKET" if step.price is None else "LIMIT",
            "transaction_type": step.side, "disclosed_quantity": 0, "trigger_price": 0,
            "is_amo": False, "market_protection": -1,
        }  # fmt: skip
        await self._upstox.post("orders", body)

    async def _fill(self, step: Fill) -> None:
        resting = [row for row in await self._rows("orders") if row["status"] in _RESTING]
        if not resting:
            return
        row = resting[step.order % len(resting)]
        quantity = max(1, round(step.share * row["pending_quantity"]))
        await self._upstox.post(f"orders/{row['order_id']}/fills", {"quantity": quantity})

    async def _log_in(self) -> None:
        async def is_linked() -> bool:
            try:
                await link_account(
                    self._client, upstox_user=self._upstox_user, timeout_secs=TRY_SECS
                )
            except (*NOT_ANSWERED, LinkStateInvalid):
                return False
            return True

        await eventually(is_linked, what="the account is linked")


@dataclass(frozen=True, slots=True)
class Told:
    """What became of some stories."""

    findings: dict[int, list[Finding]]
    """By seed; empty lists are left out."""
    tally: Counter[str]


async def tell(made: Stage, bus: Bus, seeds: Sequence[int]) -> Told:
    """Stories that are told at the same time, while the service is restarted again and again."""
    stories = [Story(made, bus, seed) for seed in seeds]
    await asyncio.gather(*[story.begin() for story in stories])
    ending = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(made.restart_until(ending, random.Random(seeds[0])))
        try:
            await asyncio.gather(*[story.tell() for story in stories])
        finally:
            ending.set()
    await made.calm(LONGEST_DELAY_SECS)
    found = await asyncio.gather(*[story.findings() for story in stories])
    tally = sum((story.tally for story in stories), Counter(restarts=made.restarts))
    by_seed = {story.seed: each for story, each in zip(stories, found, strict=True) if each}
    return Told(by_seed, tally)
