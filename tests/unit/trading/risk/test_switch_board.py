"""The kill switches that were read last stop orders, and so does a read that is too old."""

from services.trading.risk.switch_board import MAX_AGE_SECS, SwitchBoard
from shared.contracts.trading_replies import ActiveSwitch, SwitchScope, SwitchSetter

ADMIN = SwitchSetter.ADMINISTRATOR
FOR_ALL = ActiveSwitch(scope=SwitchScope.GLOBAL, set_by=ADMIN, at=1, reason="outage")
FOR_SHARE = ActiveSwitch(
    scope=SwitchScope.INSTRUMENT, set_by=ADMIN, at=2, reason="halted", key="NSE_EQ|A"
)


def test_before_the_first_read_nothing_is_known() -> None:
    board = SwitchBoard()
    assert not board.is_current(0.0)
    assert (board.all(), board.of("NSE_EQ|A")) == ([], [])


def test_a_read_is_used_for_five_seconds() -> None:
    board = SwitchBoard()
    board.update([], read_at_secs=10.0)
    assert board.is_current(10.0 + MAX_AGE_SECS)
    assert not board.is_current(10.001 + MAX_AGE_SECS)


def test_an_instrument_is_stopped_by_its_own_switch_and_the_global_one() -> None:
    board = SwitchBoard()
    board.update([FOR_ALL, FOR_SHARE], read_at_secs=0.0)
    assert board.of("NSE_EQ|A") == [FOR_ALL, FOR_SHARE]
    assert board.of("NSE_EQ|B") == [FOR_ALL]
    assert board.all() == [FOR_ALL, FOR_SHARE]
    assert [board.count(scope) for scope in (SwitchScope.GLOBAL, SwitchScope.INSTRUMENT)] == [1, 1]


def test_a_read_replaces_the_one_before() -> None:
    board = SwitchBoard()
    board.update([FOR_ALL, FOR_SHARE], read_at_secs=0.0)
    board.update([FOR_SHARE], read_at_secs=1.0)
    assert board.of("NSE_EQ|B") == []
    board.update([], read_at_secs=2.0)
    assert board.of("NSE_EQ|A") == []
    assert board.count(SwitchScope.INSTRUMENT) == 0
