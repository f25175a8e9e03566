"""The ledger knows in which instruments anyone has an open position."""

from typing import Any

import msgspec
from hypothesis import given

from services.trading.paper.broker import PaperBroker
from services.trading.partition.ledger import Ledger
from shared.market.exchange_calendar import Calendar
from tests.support.trading_journal import OPENING_CASH
from tests.support.trading_stories import STORIES, tell

USERS = ("user-1", "user-2")


@given(STORIES, STORIES)
def test_a_key_is_held_while_a_user_has_a_position_in_it_or_in_its_derivative(
    first: list[tuple[Any, ...]], second: list[tuple[Any, ...]]
) -> None:
    ledger = Ledger(PaperBroker(Calendar()), OPENING_CASH)
    again = Ledger(PaperBroker(Calendar()), OPENING_CASH)
    for user_id, story in zip(USERS, (first, second), strict=True):
        for entry in tell(story, OPENING_CASH).entries:
            own = msgspec.structs.replace(entry, user_id=user_id)
            again.load(ledger.record(user_id, own.body))
            instruments = [
                booked.instrument
                for account in ledger.accounts()
                for booked in account.open_positions()
            ]
            held = {instrument.key for instrument in instruments}
            held |= {one.settlement_key for one in instruments if one.settlement_key is not None}
            assert ledger.held_keys() == again.held_keys() == held
