"""The chains that REST shows are recent, and of the newest leader."""

import msgspec
import pytest

from services.gateway.fanout.latest_chains import LatestChains
from shared.contracts.option_chains import Chain, ChainKey, ChainRow, encode_chain
from tests.support.builders import OTHER_KEY as NIFTY

DAY = "2026-12-01"


def put(
    chains: LatestChains, strikes: int, now: float, *, epoch: int = 1, expiry: str = DAY
) -> None:
    key = ChainKey(NIFTY, expiry, strikes)
    rows = [ChainRow(strike=100.0 + number) for number in range(2 * strikes + 1)]
    chain = Chain(
        key=str(key), epoch=epoch, seq=1, ts=1, rt=1, underlying=NIFTY, expiry=expiry,
        atm=100.0 + strikes, rows=rows,
    )  # fmt: skip
    chains.put(key.subject, encode_chain(chain), now)


def test_the_widest_recent_window_is_shown() -> None:
    chains = LatestChains()
    put(chains, 1, 0.0)
    put(chains, 12, 0.0)
    put(chains, 2, 5.0)
    widest = chains.get(NIFTY, DAY, 6.0)
    assert widest is not None
    assert len(widest.rows) == 25
    later = chains.get(NIFTY, DAY, 14.0)
    assert later is not None
    assert len(later.rows) == 5
    assert chains.get(NIFTY, DAY, 16.0) is None


def test_another_expiry_is_not_shown() -> None:
    chains = LatestChains()
    put(chains, 1, 0.0, expiry="2026-12-08")
    assert chains.get(NIFTY, DAY, 0.0) is None


def test_a_chain_of_a_superseded_leader_is_dropped() -> None:
    chains = LatestChains()
    put(chains, 1, 0.0, epoch=2)
    put(chains, 3, 0.0, epoch=1)
    kept = chains.get(NIFTY, DAY, 0.0)
    assert kept is not None
    assert (kept.epoch, len(kept.rows)) == (2, 3)


def test_the_number_of_chains_is_bounded() -> None:
    chains = LatestChains()
    put(chains, 1, 0.0, expiry="2026-12-08")
    for day in range(256):
        put(chains, 1, 0.0, expiry=f"20{day // 10:02}-01-0{day % 10}")
    assert chains.get(NIFTY, "2026-12-08", 0.0) is None


def test_a_message_without_a_stamp_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        LatestChains().put("md.chain.A.B.2026-12-01.1", b"{}", 0.0)
