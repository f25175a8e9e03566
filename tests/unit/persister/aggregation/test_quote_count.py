"""Quotes that were published and did not arrive are noticed at the next clock tick."""

from services.persister.aggregation.quote_count import QuoteCount


def test_nothing_is_missing_while_the_numbers_agree() -> None:
    count = QuoteCount()
    count.restart(1_000)
    for published in (1, 2):
        count.add()
        assert count.check(published, 1_000 + published) is None


def test_missing_quotes_are_told_once_with_the_time_since_when() -> None:
    count = QuoteCount()
    count.restart(1_000)
    count.add()
    assert count.check(1, 2_000) is None
    count.add()
    assert count.check(5, 3_000) == (3, 2_000)
    assert count.check(5, 4_000) is None


def test_in_the_middle_of_an_epoch_the_first_tick_gives_the_number() -> None:
    count = QuoteCount()
    count.add()
    assert count.check(700, 1_000) is None
    count.forget()
    count.add()
    assert count.check(900, 2_000) is None
    assert count.check(901, 3_000) == (1, 2_000)


def test_quotes_that_were_sent_twice_are_no_loss() -> None:
    count = QuoteCount()
    count.restart(0)
    count.add()
    count.add()
    assert count.check(1, 1_000) is None
    count.add()
    assert count.check(2, 2_000) is None
