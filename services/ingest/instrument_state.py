"""The current state of one instrument, and the quote that tells it."""

from dataclasses import dataclass

from shared.messages import Quote


@dataclass(slots=True)
class InstrumentState:
    """All that the feed has said of an instrument; None is what it has not said."""

    key: str
    subject: str
    """Where its quotes are published."""
    ts: int = 0
    rt: int = 0
    seq: int = 0
    """Quotes published of it in this epoch."""
    snap: bool = False
    ltt: int | None = None
    ltp: float | None = None
    ltq: int | None = None
    cp: float | None = None
    volume: int | None = None
    volume_day: int | None = None
    """Trading day that `volume` and `atp` belong to."""
    atp: float | None = None
    oi: int | None = None
    bid: float | None = None
    bid_qty: int | None = None
    ask: float | None = None
    ask_qty: int | None = None
    tbq: int | None = None
    tsq: int | None = None

    def next_quote(self, epoch: int) -> Quote:
        """The state as the instrument's next quote of `epoch`."""
        self.seq += 1
        return Quote(
            key=self.key,
            epoch=epoch,
            seq=self.seq,
            ts=self.ts,
            rt=self.rt,
            ltt=self.ltt,
            ltp=self.ltp,
            ltq=self.ltq,
            cp=self.cp,
            volume=self.volume,
            atp=self.atp,
            oi=self.oi,
            bid=self.bid,
            bid_qty=self.bid_qty,
            ask=self.ask,
            ask_qty=self.ask_qty,
            tbq=self.tbq,
            tsq=self.tsq,
            snap=self.snap,
        )
