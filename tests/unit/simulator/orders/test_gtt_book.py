"""Rules wait for their price, follow each other, exclude each other."""

import pytest

from services.simulator.market.flows import Trade
from services.simulator.orders.gtt import Gtt, GttType, Rule, Strategy, TriggerType
from services.simulator.orders.gtt_book import GttBook
from services.simulator.orders.order import Product, Side
from services.simulator.orders.refused import OrderRefused
from shared.market.exchange_time import DAY_MS
from tests.support.builders import MONDAY_10_00
from tests.support.order_managers import KEY, USER, OrderManagerHarness


class GttOnStage(OrderManagerHarness):
    """The stage with a book of GTT orders beside the order_manager."""

    def __init__(self) -> None:
        super().__init__()
        self.book = GttBook(self.order_manager, self.states, max_rows=100)
        self.changes = 0
        self.book.on_change.append(self._count)

    def _count(self, _: Gtt) -> None:
        self.changes += 1

    def gtt(self, *rules: Rule, side: Side = Side.BUY, quantity: int = 5) -> Gtt:
        kind = GttType.SINGLE if len(rules) == 1 else GttType.MULTIPLE
        return self.book.place(USER, kind, KEY, side, Product.I, quantity, list(rules), self.now_ms)

    def trade(self, price: int, quantity: int = 1_000) -> None:
        at_ms = self.now_ms + 500
        super().trade(price, quantity)
        self.book.step([Trade(KEY, at_ms, price, quantity)], self.now_ms)


def entry(price: int, kind: TriggerType = TriggerType.BELOW) -> Rule:
    return Rule(Strategy.ENTRY, kind, price)


def stop(price: int, gap: int = 0) -> Rule:
    return Rule(Strategy.STOPLOSS, TriggerType.IMMEDIATE, price, gap)


def target(price: int) -> Rule:
    return Rule(Strategy.TARGET, TriggerType.IMMEDIATE, price)


def statuses(gtt: Gtt) -> dict[str, str]:
    return {rule.strategy: rule.status for rule in gtt.rules}


@pytest.fixture
def stage() -> GttOnStage:
    return GttOnStage()


@pytest.mark.parametrize(
    ("kind", "far", "near"),
    [(TriggerType.BELOW, 9_955, 9_950), (TriggerType.ABOVE, 10_045, 10_055)],
)
def test_entry_waits_for_its_price_then_places_its_order(
    stage: GttOnStage, kind: TriggerType, far: int, near: int
) -> None:
    gtt = stage.gtt(entry(9_950 if kind is TriggerType.BELOW else 10_050, kind))
    stage.trade(far)
    assert statuses(gtt) == {"ENTRY": "PENDING"}
    stage.trade(near)
    assert statuses(gtt) == {"ENTRY": "COMPLETED"}
    assert stage.account.positions.quantity(KEY, Product.I) == 5
    [order] = stage.order_manager.records.day(USER)
    assert gtt.rules[0].order_id == order.order_id


@pytest.mark.parametrize(
    ("price", "won", "lost"), [(10_200, "TARGET", "STOPLOSS"), (9_800, "STOPLOSS", "TARGET")]
)
def test_first_exit_cancels_the_other(stage: GttOnStage, price: int, won: str, lost: str) -> None:
    gtt = stage.gtt(entry(1, TriggerType.IMMEDIATE), target(10_200), stop(9_800))
    stage.trade(10_000)
    assert statuses(gtt) == {"ENTRY": "COMPLETED", "TARGET": "PENDING", "STOPLOSS": "PENDING"}
    stage.trade(price)
    assert statuses(gtt) == {"ENTRY": "COMPLETED", won: "COMPLETED", lost: "CANCELLED"}
    assert stage.account.positions.quantity(KEY, Product.I) == 0


def test_exits_of_a_sale_are_mirrored(stage: GttOnStage) -> None:
    rules = (entry(1, TriggerType.IMMEDIATE), target(9_800), stop(10_200))
    gtt = stage.gtt(*rules, side=Side.SELL)
    stage.trade(10_000)
    stage.trade(9_800)
    assert statuses(gtt)["TARGET"] == "COMPLETED"


def test_exits_sleep_until_the_entry_is_filled(stage: GttOnStage) -> None:
    gtt = stage.gtt(entry(9_900), stop(9_950))
    stage.trade(9_940)
    assert statuses(gtt) == {"ENTRY": "PENDING", "STOPLOSS": "PENDING"}


def test_trailing_stop_follows_the_price_up_and_never_down(stage: GttOnStage) -> None:
    gtt = stage.gtt(entry(1, TriggerType.IMMEDIATE), stop(9_900, gap=100))
    for price, trigger in ((10_000, 9_900), (10_100, 10_000), (10_050, 10_000)):
        stage.trade(price)
        assert gtt.rules[1].trigger_paise == trigger
    stage.trade(10_000)
    assert statuses(gtt)["STOPLOSS"] == "COMPLETED"


def test_rejected_entry_fails_and_takes_its_exits_along(stage: GttOnStage) -> None:
    stage.accounts.killed(USER).add("NSE_EQ")
    gtt = stage.gtt(entry(1, TriggerType.IMMEDIATE), stop(9_900))
    assert statuses(gtt) == {"ENTRY": "FAILED", "STOPLOSS": "CANCELLED"}
    assert "kill switch" in gtt.rules[0].message


def test_modified_rule_waits_for_its_new_price(stage: GttOnStage) -> None:
    gtt = stage.gtt(entry(9_900))
    stage.book.modify(USER, gtt.gtt_id, GttType.SINGLE, 7, [entry(9_950)], stage.now_ms)
    stage.trade(9_950)
    assert statuses(gtt) == {"ENTRY": "COMPLETED"}
    assert stage.account.positions.quantity(KEY, Product.I) == 7


def test_entry_made_immediate_places_its_order_at_once(stage: GttOnStage) -> None:
    gtt = stage.gtt(entry(9_900))
    rules = [entry(9_900, TriggerType.IMMEDIATE)]
    stage.book.modify(USER, gtt.gtt_id, GttType.SINGLE, 5, rules, stage.now_ms)
    assert statuses(gtt) == {"ENTRY": "COMPLETED"}
    assert len(stage.order_manager.records.day(USER)) == 1


def test_entry_filled_in_part_is_undone_by_its_exit(stage: GttOnStage) -> None:
    gtt = stage.gtt(entry(1, TriggerType.IMMEDIATE), stop(9_900), quantity=1_000)
    [order] = stage.order_manager.records.day(USER)
    assert 0 < order.filled_quantity < 1_000
    stage.order_manager.cancel(USER, order.order_id, stage.now_ms)
    assert statuses(gtt) == {"ENTRY": "COMPLETED", "STOPLOSS": "PENDING"}
    assert gtt.quantity == order.filled_quantity
    stage.trade(9_900)
    assert statuses(gtt)["STOPLOSS"] == "COMPLETED"
    assert stage.account.positions.quantity(KEY, Product.I) == 0


def test_cancelled_gtt_does_nothing_more(stage: GttOnStage) -> None:
    gtt = stage.gtt(entry(9_900))
    stage.book.cancel(USER, gtt.gtt_id)
    stage.trade(9_800)
    assert statuses(gtt) == {"ENTRY": "CANCELLED"}
    with pytest.raises(OrderRefused):
        stage.book.cancel(USER, gtt.gtt_id)


def test_gtt_ends_after_a_year(stage: GttOnStage) -> None:
    gtt = stage.gtt(entry(9_900))
    stage.book.step([], MONDAY_10_00 + 365 * DAY_MS)
    assert gtt.rules[0].message == "Expired"
    assert stage.changes == 2


@pytest.mark.parametrize(
    "rules",
    [
        [target(10_200)],
        [entry(9_900), entry(9_900)],
        [target(10_200), stop(9_900)],
        [entry(9_900), Rule(Strategy.TARGET, TriggerType.ABOVE, 10_200)],
        [entry(0)],
        [entry(9_900), Rule(Strategy.TARGET, TriggerType.IMMEDIATE, 10_200, 100)],
    ],
)
def test_rules_that_make_no_sense_are_refused(stage: GttOnStage, rules: list[Rule]) -> None:
    with pytest.raises(OrderRefused) as refused:
        stage.gtt(*rules)
    assert refused.value.code == "UDAPI1126"


def test_trade_before_the_entry_was_filled_sets_no_exit_off(stage: GttOnStage) -> None:
    gtt = stage.gtt(entry(9_950), stop(9_960))
    stage.trade(9_950)  # sets the entry off, and is below the stop
    assert statuses(gtt) == {"ENTRY": "COMPLETED", "STOPLOSS": "PENDING"}
    stage.trade(9_960)
    assert statuses(gtt)["STOPLOSS"] == "COMPLETED"
