"""Bars of a conflated, faulty feed, beside a plain recomputation from every trade."""

from dataclasses import dataclass

from hypothesis import example, given, settings
from hypothesis import strategies as st

from embedded.expected_bars import ExpectedBar, differences, expected_bars
from services.persister.aggregation.aggregator import Aggregator, Closed
from services.persister.aggregation.checkpoint import State, decode_state
from services.persister.storage.documents import bar_document
from shared.contracts.messages import Bar, BarState, Candle, Quote
from shared.market.exchange_time import WINDOW_MS
from tests.support.builders import MONDAY_10_00
from tests.support.conflated_feed import Message, Outage, Trade, messages

T0 = MONDAY_10_00
WINDOWS = 4
END = T0 + WINDOWS * WINDOW_MS
KEYS = ("A|1", "A|2")
Entry = tuple[int, Message]
FEWER = settings(max_examples=settings().max_examples // 2)
"""These examples are large."""


@dataclass(frozen=True)
class Story:
    """What was traded, and how much of it arrived."""

    trades: list[Trade]
    since: int
    every_ms: int
    is_quiet: bool
    outages: list[Outage]
    lose: list[int]
    """Numbers of entries that are lost, one after the other."""

    def entries(self) -> tuple[list[Entry], list[int]]:
        """What arrived, and the times of what was lost."""
        told = messages(
            self.trades, since=self.since, until=END + 2 * WINDOW_MS, every_ms=self.every_ms,
            outages=self.outages, is_quiet=self.is_quiet,
        )  # fmt: skip
        numbered = list(enumerate(told, start=1))
        shown = len(KEYS)  # by the first frame; what was never shown cannot be missed
        lost = [numbered.pop(number % (len(numbered) - 400) + shown)[1].ts for number in self.lose]
        return numbered, lost


@st.composite
def trades(draw: st.DrawFn) -> list[Trade]:
    """Bursts and pauses; prices on ticks of a quarter."""
    made = []
    now = T0 - 1_000
    for _ in range(draw(st.integers(5, 80))):
        now += draw(st.sampled_from([0, 1, 40, 300, 300, 900, 4_000, 30_000, 100_000]))
        if now >= END:
            break
        made.append(
            Trade(draw(st.sampled_from(KEYS)), now, draw(st.integers(1, 60)) / 4,
                  draw(st.integers(1, 9)))
        )  # fmt: skip
    return made


@st.composite
def stories(draw: st.DrawFn, *, faulty: bool = True, is_quiet: bool | None = None) -> Story:
    outages = []
    if faulty and draw(st.booleans()):
        since = T0 + draw(st.integers(1_000, 3 * WINDOW_MS))
        until = since + draw(st.sampled_from([500, 5_000, 70_000, 400_000, 700_000]))
        outages.append(Outage(since, until, new_leader=draw(st.booleans())))
    return Story(
        trades=draw(trades()),
        since=T0 + draw(st.integers(0, 999)),
        every_ms=draw(st.sampled_from([700, 1_000, 1_900])),
        is_quiet=draw(st.booleans()) if is_quiet is None else is_quiet,
        outages=outages,
        lose=draw(st.lists(st.integers(0, 9_999), max_size=2 * faulty)),
    )


def feed(target: Aggregator, entry: Entry) -> None:
    position, message = entry
    if isinstance(message, Quote):
        target.quote(message, position)
    elif isinstance(message, Candle):
        target.candle(message, position)
    else:
        target.clock(message, position)


def run(entries: list[Entry], state: State | None = None) -> tuple[list[Closed], list[Bar]]:
    """Everything that closes, and the bars amended after the last close."""
    target = Aggregator(state or State(), grace_ms=2_000, silent_after_ms=15_000)
    closed = []
    for entry in entries:
        feed(target, entry)
        if (one := target.take()) is not None:
            closed.append(one)
    return closed, list(target.take_amended())


def newest(closed: list[Closed], amended: list[Bar]) -> dict[tuple[str, int], Bar]:
    told = [bar for one in closed for bar in one.bars] + amended
    return {(bar.key, bar.start): bar for bar in told}


def truth(story: Story) -> dict[tuple[str, int], ExpectedBar]:
    found: dict[tuple[str, int], ExpectedBar] = {}
    for key in KEYS:
        rows = [
            {"time_ms": trade.time_ms, "price": trade.price, "quantity": trade.quantity}
            for trade in story.trades
            if trade.key == key
        ]
        found |= {(key, start): bar for start, bar in expected_bars(key, rows).items()}
    return {place: bar for place, bar in found.items() if place[1] < END}


def wrong_fields(expected: ExpectedBar, bar: Bar) -> list[str]:
    """Differences; the cumulative volume may lack what no boundary has pinned down."""
    lines = differences(expected, bar_document(bar))
    assert (bar.vtt or 0) <= (expected.vtt or 0)
    return [line for line in lines if " vtt: " not in line]


@FEWER
@given(stories())
def test_resuming_at_any_checkpoint_gives_the_same_bars(story: Story) -> None:
    entries, _ = story.entries()
    whole, amended = run(entries)
    for index, closed in enumerate(whole):
        state = decode_state(closed.checkpoint)
        rest = [entry for entry in entries if entry[0] >= state.next_position]
        assert run(rest, state) == (whole[index + 1 :], amended)


# A day's first trades fall into an outage; the snapshot's candle tells of the last of them only.
IN_AN_OUTAGE = Story(
    trades=[Trade("A|1", T0 + at_ms, 1.0, 4) for at_ms in (469_742, 570_342, 600_342)],
    since=T0, every_ms=1_000, is_quiet=True, outages=[Outage(T0 + 301_030, T0 + 601_030)], lose=[],
)  # fmt: skip


@FEWER
@given(stories())
@example(IN_AN_OUTAGE)
def test_a_bar_that_says_complete_equals_what_was_traded(story: Story) -> None:
    expected = truth(story)
    for place, bar in newest(*run(story.entries()[0])).items():
        if bar.state is BarState.COMPLETE and place[1] < END:
            assert wrong_fields(expected[place], bar) == []


@FEWER
@given(stories(faulty=False, is_quiet=False))
def test_without_a_fault_every_window_has_its_complete_bar(story: Story) -> None:
    expected = {place: bar for place, bar in truth(story).items() if place[1] > T0}
    bars = newest(*run(story.entries()[0]))
    assert {place for place in bars if T0 < place[1] < END} == expected.keys()
    for place, bar in expected.items():
        assert bars[place].state is BarState.COMPLETE
        assert wrong_fields(bar, bars[place]) == []


@FEWER
@given(stories())
def test_a_window_with_trades_has_a_bar_or_is_told_as_missing(story: Story) -> None:
    closed, amended = run(story.entries()[0])
    bars = newest(closed, amended)
    for key, start in truth(story):
        missing = [one for each in closed for one in each.missing if key in one.keys]
        told = any(one.start <= start < one.end for one in missing)
        assert (key, start) in bars or told or start <= T0


@FEWER
@given(stories(is_quiet=False))
def test_only_a_window_with_a_fault_near_it_is_partial(story: Story) -> None:
    entries, lost = story.entries()
    for (_, start), bar in newest(*run(entries)).items():
        if bar.state is BarState.PARTIAL and T0 < start < END:
            faults = [(one.since, one.until) for one in story.outages]
            faults += [(at, at) for at in lost]
            assert any(
                since < start + WINDOW_MS + 70_000 and start - 70_000 < until
                for since, until in faults
            )
