"""Instruments, bars and the state of the system are printed for people."""

from decimal import Decimal

from tests.support.builders import KEY, MONDAY_10_00
from tradedad_client import (
    ChainRow,
    FeedStatus,
    GatewayStatus,
    HistoryBar,
    Instrument,
    OptionState,
    SystemStatus,
)
from tradedad_client.market_commands import ChainLine, format_bar, format_instrument, status_lines

GATEWAY = GatewayStatus(ready=True, waiting_for={}, streams=2, instruments=3)


def test_an_instrument_is_one_line() -> None:
    instrument = Instrument(
        key=KEY, symbol="RELIANCE", name="Reliance Industries", segment="NSE_EQ", exchange="NSE",
        type="EQ", lot_size=1, tick_size=Decimal("0.10"),
    )  # fmt: skip
    assert format_instrument(instrument).split() == [
        KEY, "RELIANCE", "EQ", "lot", "1", "tick", "0.10", "Reliance", "Industries",
    ]  # fmt: skip


def test_a_bar_has_its_time_with_the_zone() -> None:
    bar = HistoryBar(
        start=MONDAY_10_00, end=MONDAY_10_00 + 1, open=1, high=3, low=0.5, close=2, ticks=1,
        state="partial", volume=1_000,
    )  # fmt: skip
    assert format_bar(bar).split()[1:] == [
        "10:00", "IST", "1.00", "3.00", "0.50", "2.00", "1,000", "partial",
    ]  # fmt: skip


def test_the_status_says_what_is_wrong() -> None:
    feed = FeedStatus(
        state="stale", since=MONDAY_10_00, epoch=1, detail="silent", simulated=True,
        segments={"NSE_EQ": "NORMAL_OPEN"},
    )  # fmt: skip
    status = SystemStatus(now=MONDAY_10_00, feed=feed, feed_is_current=False, gateway=GATEWAY)
    lines = {line.part: line.state for line in status_lines(status)}
    assert lines["time"].endswith("10:00:00 IST")
    assert lines["feed"].startswith("stale since ")
    assert "(silent), not current" in lines["feed"]
    assert (lines["prices"], lines["NSE_EQ"]) == ("simulated", "NORMAL_OPEN")
    assert lines["gateway"] == "ready, 2 streams, 3 instruments"


def test_a_gateway_that_waits_says_for_what() -> None:
    gateway = GatewayStatus(ready=False, waiting_for={"nats": "away"}, streams=0, instruments=0)
    status = SystemStatus(now=MONDAY_10_00, feed_is_current=False, gateway=gateway)
    lines = {line.part: line.state for line in status_lines(status)}
    assert lines["feed"] == "not known"
    assert lines["gateway"].startswith("waits for nats: away")


def test_a_strike_has_its_call_on_the_left_and_its_put_on_the_right() -> None:
    call = OptionState(key="C", ltp=12.5, oi=1_500, iv=0.125)
    line = ChainLine.of(ChainRow(strike=24_000, call=call, put=OptionState(key="P", ltp=3)))
    assert line.text().split() == ["1,500", "12.5%", "12.50", "24000.00", "3.00"]
    assert (line.call_key, line.put_key, line.put_oi) == ("C", "P", None)
    assert ChainLine.of(ChainRow(strike=1)).text().split() == ["1.00"]
