"""Random entries of TICKS at the paper broker and at a trading service, beside right ones."""

from typing import Any, Final

from prometheus_client import REGISTRY

from services.trading.paper.broker import PaperBroker
from shared.contracts.trading import Operation, OrderQuery
from shared.contracts.trading_replies import OrderDetail, OrderView
from shared.market.exchange_calendar import Calendar
from shared.runtime.settings import MongoSettings
from tests.fuzz.rounds import rounds
from tests.fuzz.tick_entries import is_harmless, is_refused, random_entry
from tests.support.builders import MONDAY_10_00
from tests.support.paper_market import PaperMarket
from tests.support.servers import NatsServer
from tests.support.trading import trading
from tests.support.trading_client import (
    TestMarket,
    TradingClient,
    market,
    order_request,
    trading_client,
)
from tests.support.waiting import eventually

_BROKER_ROUNDS: Final = 60
_SERVICE_ROUNDS: Final = 15
_ENTRIES: Final = 40
_KINDS: Final = ("quote", "depth", "candle", "clock")


def test_no_entry_ends_the_paper_broker_and_its_state_can_always_be_stored() -> None:
    for source in rounds(_BROKER_ROUNDS):
        made = PaperMarket()
        for number in range(_ENTRIES):
            entry = random_entry(source, MONDAY_10_00 + number * 20_000, 1_000 + number)
            if source.random() < 0.2:
                made.place(f"o{number}", price=source.choice((None, "100.00")))
            before = sum(made.broker.undecodable.values())
            made.send(*entry)
            refused = sum(made.broker.undecodable.values()) - before
            assert refused == is_refused(entry), entry
            restored = PaperBroker(Calendar())
            restored.restore(made.broker.state())
            assert restored.state() == made.broker.state()


def test_random_entries_keep_no_order_from_its_fill() -> None:
    for source in rounds(_BROKER_ROUNDS):
        made = PaperMarket()
        for number in range(5):
            made.place(f"o{number}", quantity=10)
            for step in range(_ENTRIES // 5):
                entry = random_entry(source, made.now_ms, number * 10 + step)
                if is_harmless(entry, made.now_ms):
                    assert made.send(*entry) == []
            found = made.market(100.0, bids="1000@99.95", asks="1000@100.05", ltq=10)
            assert found == [f"o{number} 10@100.05"]


def _skipped() -> float:
    name = "tradedad_trading_skipped_entries_total"
    labels = [{"kind": kind, "reason": "undecodable"} for kind in _KINDS]
    return sum(REGISTRY.get_sample_value(name, each) or 0.0 for each in labels)


async def _are_skipped(expected: float) -> None:
    await eventually(lambda: _skipped() == expected, what="refused ones are counted")


async def _check_fill(made: TestMarket, client: TradingClient, number: int) -> None:
    """An order of a new user is filled by the next quotes."""
    user_id = f"user-{number}"
    order = await client.call(
        Operation.PLACE, order_request(f"c-{number}", user_id=user_id), OrderView
    )
    query = OrderQuery(user_id=user_id, order_id=order.order_id)

    async def is_filled() -> bool:
        await made.quote(1_400.0, traded=10)
        detail = await client.call(Operation.ORDER, query, OrderDetail)
        return detail.order.state == "filled"

    await eventually(is_filled, what="the order is filled")


async def test_random_entries_do_not_disturb_trading_and_are_counted(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    options: dict[str, Any] = {"calendar": "always_open", "paper_latency_ms": 0}
    async with (
        market(nats) as made,
        trading(nats, mongo_settings, **options),
        trading_client(nats) as client,
    ):
        for number, source in enumerate(rounds(_SERVICE_ROUNDS)):
            expected = _skipped()
            for step in range(_ENTRIES):
                entry = random_entry(source, made.now_ms, number * _ENTRIES + step)
                # NATS takes no message for a subject with an empty token.
                if is_harmless(entry, made.now_ms) and not entry[0].endswith("."):
                    expected += is_refused(entry)
                    await made.send(*entry)
            await _are_skipped(expected)
            await _check_fill(made, client, number)
