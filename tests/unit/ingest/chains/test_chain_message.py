"""The message of a chain has what the feed tells of its instruments."""

from services.ingest.chains.chain_message import chain_message, newest_us
from services.ingest.chains.chain_windows import ChainWindows
from services.ingest.normalise.normaliser import Normaliser
from shared.contracts.option_chains import ChainKey, OptionsReply, OptionState, StrikeContracts
from tests.support.builders import MONDAY_10_00, greeks_feed, index_feed

NIFTY, CALL, PUT, DAY = "NSE_INDEX|Nifty 50", "NSE_FO|1", "NSE_FO|2", "2026-12-01"
CHAIN = ChainKey(NIFTY, DAY, 1)


def test_an_option_without_data_has_its_key_only() -> None:
    normaliser, windows = Normaliser(7), ChainWindows()
    received_us = MONDAY_10_00 * 1_000
    feeds = {
        NIFTY: index_feed(ltp=101.0, ltt=MONDAY_10_00),
        CALL: greeks_feed(
            ltp=7.5, ltt=MONDAY_10_00, oi=650.0, iv=0.12, delta=0.4, first=(7.0, 65, 8.0, 130)
        ),
    }
    normaliser.apply(feeds, ts=MONDAY_10_00, received_us=received_us, snapshot=False)
    windows.contracts[NIFTY, DAY] = OptionsReply(
        underlying=NIFTY, expiry=DAY, expiries=[DAY],
        strikes=[StrikeContracts(strike=100.0, call=CALL, put=PUT)],
    )  # fmt: skip
    windows.update([CHAIN], lambda _: 101.0)
    instruments = normaliser.instruments
    assert newest_us(windows, CHAIN, instruments) == received_us
    assert newest_us(windows, CHAIN, {}) == 0
    chain = chain_message(windows, CHAIN, instruments, epoch=7, seq=3, now_us=received_us + 5)
    assert (chain.key, chain.epoch, chain.seq, chain.ts) == (str(CHAIN), 7, 3, MONDAY_10_00)
    assert (chain.rt, chain.ltp, chain.atm) == (received_us + 5, 101.0, 100.0)
    (row,) = chain.rows
    assert row.put == OptionState(key=PUT)
    quote = instruments[CALL].quote
    assert row.call is not None
    assert (row.call.ltp, row.call.oi, row.call.bid, row.call.iv) == (7.5, 650, 7.0, 0.12)
    assert (row.call.ask, row.call.ask_qty) == (quote.ask, quote.ask_qty) == (8.0, 130)
    assert row.call.greeks is not None
    assert row.call.greeks.delta == 0.4
