"""The levels of a quote that an order may take."""

from decimal import Decimal

import pytest

from services.trading.paper.market import Level, Quote
from shared.contracts.order_terms import Side

BID, ASK = Level(Decimal(99), 10), Level(Decimal(101), 20)


def quote(
    bids: tuple[Level, ...] = (BID,),
    asks: tuple[Level, ...] = (ASK,),
    upper_band: Decimal | None = None,
) -> Quote:
    return Quote(
        ts_ms=1, epoch=1, seq=1, ltp=Decimal(100), ltt_ms=1, ltq=1, volume=1, bids=bids, asks=asks,
        upper_band=upper_band,
    )  # fmt: skip


def test_an_order_takes_the_other_side_and_rests_on_its_own() -> None:
    assert (quote().opposite(Side.BUY), quote().opposite(Side.SELL)) == ((ASK,), (BID,))
    assert (quote().own(Side.BUY), quote().own(Side.SELL)) == ((BID,), (ASK,))


@pytest.mark.parametrize(
    "unusable",
    [
        quote(bids=(Level(Decimal(101), 5),)),
        quote(asks=(Level(Decimal(101), 0),)),
        quote(upper_band=Decimal(100)),
    ],
    ids=["crossed", "no quantity", "outside the band"],
)
def test_levels_that_cannot_be_traded_are_left_out(unusable: Quote) -> None:
    assert unusable.opposite(Side.BUY) == ()
