"""GTT orders place their orders when a price is reached, and cancel the other exits."""

import pytest

from services.simulator.errors import ApiError
from services.simulator.market.flows import Trade
from services.simulator.orders.gtt import Gtt, GttType, Rule, Strategy, TriggerType
from services.simulator.orders.gtt_book import GttBook
from services.simulator.orders.order import Product, Side
from shared.market.exchange_time import DAY_MS
from tests.support.builders import MONDAY_10_00
from tests.support.order_managers import KEY, USER, OrderManagerHarness


class GttHarness(OrderManagerHarness):
    """An order manager with a book of GTT orders."""

    def __init__(self) -> None:
        super().__init__()
        self.book = GttBook(self.order_manager, self.states, max_rows=100)
        self.changes = 0
        self.book.on_change.append(self._count)

    def _count(self, _: Gtt) -> None:
        self.changes += 1

    def gtt(self, *rules: Rule, side: Side = Side.BUY, quantity: int = 5) -> Gtt:
        gtt_type = GttType.SINGLE if len(rules) == 1 else GttType.MULTIPLE
        return self.book.place(
            USER, gtt_type, KEY, side, Product.I, quantity, list(rules), self.now_ms
        )

    def trade(self, price: int, quantity: int = 1_000) -> None:
        at_ms = self.now_ms + 500
        super().trade(price, quantity)
        self.book.step([Trade(KEY, at_ms, price, quantity)], self.now_ms)


def entry(price: int, trigger_type: TriggerType = TriggerType.BELOW) -> Rule:
    return Rule(Strategy.ENTRY, trigger_type, price)


def stop(price: int, gap: int = 0) -> Rule:
    return Rule(Strategy.STOPLOSS, TriggerType.IMMEDIATE, price, gap)


def target(price: int) -> Rule:
    return Rule(Strategy.TARGET, TriggerType.IMMEDIATE, price)


def statuses(gtt: Gtt) -> dict[str, str]:
    return {rule.strategy: rule.status for rule in gtt.rules}


@pytest.fixture
def harness() -> GttHarness:
    return GttHarness()


@pytest.mark.parametrize(
    ("trigger_type", "before", "reached"),
    [(TriggerType.BELOW, 9_955, 9_950), (TriggerType.ABOVE, 10_045, 10_055)],
)
def test_an_entry_places_its_order_when_its_price_is_reached(
    harness: GttHarness, trigger_type: TriggerType, before: int, reached: int
) -> None:
    gtt = harness.gtt(entry(9_950 if trigger_type is TriggerType.BELOW else 10_050, trigger_type))
    harness.trade(before)
    assert statuses(gtt) == {"ENTRY": "PENDING"}
    harness.trade(reached)
    assert statuses(gtt) == {"ENTRY": "COMPLETED"}
    assert harness.account.positions.quantity(KEY, Product.I) == 5
    [order] = harness.order_store.day(USER)
    assert gtt.rules[0].order_id == order.order_id


@pytest.mark.parametrize(
    ("price", "triggered", "cancelled"),
    [(10_200, "TARGET", "STOPLOSS"), (9_800, "STOPLOSS", "TARGET")],
)
def test_the_first_exit_cancels_the_other(
    harness: GttHarness, price: int, triggered: str, cancelled: str
) -> None:
    gtt = harness.gtt(entry(1, TriggerType.IMMEDIATE), target(10_200), stop(9_800))
    harness.trade(10_000)
    assert statuses(gtt) == {"ENTRY": "COMPLETED", "TARGET": "PENDING", "STOPLOSS": "PENDING"}
    harness.trade(price)
    assert statuses(gtt) == {"ENTRY": "COMPLETED", triggered: "COMPLETED", cancelled: "CANCELLED"}
    assert harness.account.positions.quantity(KEY, Product.I) == 0


def test_the_exits_of_a_sale_have_opposite_directions(harness: GttHarness) -> None:
    rules = (entry(1, TriggerType.IMMEDIATE), target(9_800), stop(10_200))
    gtt = harness.gtt(*rules, side=Side.SELL)
    harness.trade(10_000)
    harness.trade(9_800)
    assert statuses(gtt)["TARGET"] == "COMPLETED"


def test_exits_are_inactive_until_the_entry_is_filled(harness: GttHarness) -> None:
    gtt = harness.gtt(entry(9_900), stop(9_950))
    harness.trade(9_940)
    assert statuses(gtt) == {"ENTRY": "PENDING", "STOPLOSS": "PENDING"}


def test_a_trailing_stop_follows_the_price_in_one_direction_only(harness: GttHarness) -> None:
    gtt = harness.gtt(entry(1, TriggerType.IMMEDIATE), stop(9_900, gap=100))
    for price, trigger in ((10_000, 9_900), (10_100, 10_000), (10_050, 10_000)):
        harness.trade(price)
        assert gtt.rules[1].trigger_paise == trigger
    harness.trade(10_000)
    assert statuses(gtt)["STOPLOSS"] == "COMPLETED"


def test_a_rejected_entry_fails_and_cancels_its_exits(harness: GttHarness) -> None:
    harness.accounts.killed_segments(USER).add("NSE_EQ")
    gtt = harness.gtt(entry(1, TriggerType.IMMEDIATE), stop(9_900))
    assert statuses(gtt) == {"ENTRY": "FAILED", "STOPLOSS": "CANCELLED"}
    assert "kill switch" in gtt.rules[0].message


def test_a_modified_rule_has_its_new_price_and_quantity(harness: GttHarness) -> None:
    gtt = harness.gtt(entry(9_900))
    harness.book.modify(USER, gtt.gtt_id, GttType.SINGLE, 7, [entry(9_950)], harness.now_ms)
    harness.trade(9_950)
    assert statuses(gtt) == {"ENTRY": "COMPLETED"}
    assert harness.account.positions.quantity(KEY, Product.I) == 7


def test_an_entry_modified_to_immediate_places_its_order_at_once(harness: GttHarness) -> None:
    gtt = harness.gtt(entry(9_900))
    rules = [entry(9_900, TriggerType.IMMEDIATE)]
    harness.book.modify(USER, gtt.gtt_id, GttType.SINGLE, 5, rules, harness.now_ms)
    assert statuses(gtt) == {"ENTRY": "COMPLETED"}
    assert len(harness.order_store.day(USER)) == 1


def test_the_exit_closes_the_filled_part_of_the_entry(harness: GttHarness) -> None:
    gtt = harness.gtt(entry(1, TriggerType.IMMEDIATE), stop(9_900), quantity=1_000)
    [order] = harness.order_store.day(USER)
    assert 0 < order.filled_quantity < 1_000
    harness.order_manager.cancel(USER, order.order_id, harness.now_ms)
    assert statuses(gtt) == {"ENTRY": "COMPLETED", "STOPLOSS": "PENDING"}
    assert gtt.quantity == order.filled_quantity
    harness.trade(9_900)
    assert statuses(gtt)["STOPLOSS"] == "COMPLETED"
    assert harness.account.positions.quantity(KEY, Product.I) == 0


def test_a_cancelled_gtt_order_places_no_order(harness: GttHarness) -> None:
    gtt = harness.gtt(entry(9_900))
    harness.book.cancel(USER, gtt.gtt_id)
    harness.trade(9_800)
    assert statuses(gtt) == {"ENTRY": "CANCELLED"}
    with pytest.raises(ApiError):
        harness.book.cancel(USER, gtt.gtt_id)


def test_a_gtt_order_expires_after_a_year(harness: GttHarness) -> None:
    gtt = harness.gtt(entry(9_900))
    harness.book.step([], MONDAY_10_00 + 365 * DAY_MS)
    assert gtt.rules[0].message == "Expired"
    assert harness.changes == 2


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([target(10_200)], "UDAPI1141"),
        ([entry(9_900), entry(9_900)], "UDAPI1126"),
        ([target(10_200), stop(9_900)], "UDAPI1141"),
        ([entry(9_900), Rule(Strategy.TARGET, TriggerType.ABOVE, 10_200)], "UDAPI1143"),
        ([entry(0)], "UDAPI1126"),
        ([entry(9_900), Rule(Strategy.TARGET, TriggerType.IMMEDIATE, 10_200, 100)], "UDAPI1126"),
    ],
)
def test_invalid_rules_are_refused(harness: GttHarness, rules: list[Rule], code: str) -> None:
    with pytest.raises(ApiError) as error:
        harness.gtt(*rules)
    assert error.value.code == code


def test_a_trade_before_the_fill_of_the_entry_triggers_no_exit(harness: GttHarness) -> None:
    gtt = harness.gtt(entry(9_950), stop(9_960))
    harness.trade(9_950)  # triggers the entry, and is below the stop
    assert statuses(gtt) == {"ENTRY": "COMPLETED", "STOPLOSS": "PENDING"}
    harness.trade(9_960)
    assert statuses(gtt)["STOPLOSS"] == "COMPLETED"
