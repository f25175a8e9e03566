"""The number of orders of a user within a second."""

from services.trading.risk.rate import OrderRates


def test_orders_of_the_last_second_are_counted_by_user() -> None:
    rates = OrderRates(max_per_sec=10)
    for now in (10.0, 10.4, 10.9):
        rates.record("a", now)
    rates.record("b", 10.9)
    assert rates.recent("a", 10.95) == 3
    assert rates.recent("b", 10.95) == 1
    assert rates.recent("c", 10.95) == 0


def test_an_order_counts_for_one_second() -> None:
    rates = OrderRates(max_per_sec=10)
    rates.record("a", 10.0)
    assert rates.recent("a", 10.999) == 1
    assert rates.recent("a", 11.0) == 0


def test_a_user_at_the_limit_may_order_again_once_the_oldest_order_is_a_second_old() -> None:
    rates = OrderRates(max_per_sec=2)
    rates.record("a", 10.0)
    rates.record("a", 10.5)
    assert rates.recent("a", 10.9) == 2
    assert rates.recent("a", 11.0) == 1


def test_memory_is_bounded_by_the_limit_and_by_the_users_of_the_last_second() -> None:
    rates = OrderRates(max_per_sec=2)
    for number in range(1_000):
        rates.record("a", 10 + number / 10_000)
        rates.record(f"user {number}", 10 + number / 10_000)
    assert rates.recent("a", 10.2) == 2
    rates.record("late", 12.0)
    assert len(rates) == 1
