"""A bar of conflated quotes and candles equals the bar computed from every trade."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from embedded.expected_bars import ExpectedBar, differences, expected_bars
from services.persister.aggregation.aggregator import Aggregator
from services.persister.aggregation.bar_builder import BarBuilder
from services.persister.aggregation.checkpoint import AggregatorState, decode_state
from services.persister.aggregation.closed_windows import ClosedWindows
from services.persister.aggregation.minute import VolumeBounds
from services.persister.aggregation.quoted_trade import decode_quoted_trade
from services.persister.storage.bar_precedence import must_stay
from services.persister.storage.documents import bar_document
from shared.contracts.messages import Bar, BarState, Candle, Quote, encode
from shared.market.exchange_time import MINUTE_MS, WINDOW_MS
from tests.support.builders import MONDAY_10_00, quoted_trade
from tests.support.conflated_feed import Absence, Message, Outage, Trade, messages

T0 = MONDAY_10_00
WINDOWS = 4
END = T0 + WINDOWS * WINDOW_MS
KEYS = ("A|1", "A|2")
Entry = tuple[int, Message]
HALF_AS_MANY = settings(max_examples=settings().max_examples // 2)
"""For examples that are large."""


@dataclass(frozen=True)
class Story:
    """Trades of the market, and the faults of the feed that reports them."""

    trades: list[Trade]
    since: int
    every_ms: int
    is_quiet: bool
    outages: list[Outage]
    lose: list[int]
    """Places of entries that are lost, removed one after the other."""
    absences: Sequence[Absence] = ()

    def entries(self) -> tuple[list[Entry], list[int]]:
        """The entries that arrive, and the times of those that are lost."""
        sent = messages(
            self.trades, since=self.since, until=END + 2 * WINDOW_MS, every_ms=self.every_ms,
            outages=self.outages, absences=self.absences, is_quiet=self.is_quiet,
        )  # fmt: skip
        numbered = list(enumerate(sent, start=1))
        shown = len(KEYS)  # the first frame arrives, so that each instrument is known
        lost = [numbered.pop(number % (len(numbered) - 400) + shown)[1].ts for number in self.lose]
        return numbered, lost

    def faults(self) -> list[tuple[int, int]]:
        """Times in which trades may be missing."""
        times = [(outage.since, outage.until) for outage in self.outages]
        times += [(absence.since, absence.until) for absence in self.absences]
        return times + [(at, at) for at in self.entries()[1]]

    def is_left(self, key: str, start: int) -> bool:
        """Whether the instrument is not subscribed in a window, nor ever after."""
        return any(
            each.key == key and each.since <= start and each.until >= END for each in self.absences
        )


@st.composite
def trades(draw: st.DrawFn) -> list[Trade]:
    """Bursts and pauses; prices are multiples of 0.25."""
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
    absences = []
    for _ in range(draw(st.integers(0, 2 * faulty))):
        since = T0 + draw(st.integers(1_000, 3 * WINDOW_MS))
        until = since + draw(st.sampled_from([500, 5_000, 70_000, 400_000, 9 * WINDOW_MS]))
        absences.append(Absence(draw(st.sampled_from(KEYS)), since, until))
    return Story(
        trades=draw(trades()),
        since=T0 + draw(st.integers(0, 999)),
        every_ms=draw(st.sampled_from([700, 1_000, 1_900])),
        is_quiet=draw(st.booleans()) if is_quiet is None else is_quiet,
        outages=outages,
        lose=draw(st.lists(st.integers(0, 9_999), max_size=2 * faulty)),
        absences=absences,
    )


def feed(target: Aggregator, entry: Entry) -> None:
    position, message = entry
    if isinstance(message, Quote):
        target.apply_quote(decode_quoted_trade(encode(message)), position)
    elif isinstance(message, Candle):
        target.apply_candle(message, position)
    else:
        target.apply_clock_tick(message, position)


def run(
    entries: list[Entry], state: AggregatorState | None = None
) -> tuple[list[ClosedWindows], list[Bar]]:
    """All that closes, and the bars that are amended after the last close."""
    target = Aggregator(state or AggregatorState(), grace_ms=2_000, silent_after_ms=15_000)
    closed = []
    for entry in entries:
        feed(target, entry)
        if (windows := target.take_closed()) is not None:
            closed.append(windows)
    return closed, list(target.take_amended().bars)


def newest(closed: list[ClosedWindows], amended: list[Bar]) -> dict[tuple[str, int], Bar]:
    bars = [bar for windows in closed for bar in windows.bars] + amended
    return {(bar.key, bar.start): bar for bar in bars}


def truth(story: Story) -> dict[tuple[str, int], ExpectedBar]:
    bars: dict[tuple[str, int], ExpectedBar] = {}
    for key in KEYS:
        rows = [
            {"time_ms": trade.time_ms, "price": trade.price, "quantity": trade.quantity}
            for trade in story.trades
            if trade.key == key
        ]
        bars |= {(key, start): bar for start, bar in expected_bars(key, rows).items()}
    return {place: bar for place, bar in bars.items() if place[1] < END}


def wrong_fields(expected: ExpectedBar, bar: Bar) -> list[str]:
    """Differences. The cumulative volume may be too low where no quote has shown it exactly."""
    lines = differences(expected, bar_document(bar))
    assert (bar.vtt or 0) <= (expected.vtt or 0)
    return [line for line in lines if " vtt: " not in line]


def trade(window: BarBuilder, at_ms: int, price: float, vtt: int, **fields: Any) -> None:
    """Record a trade of 10 that hides no other trade."""
    window.record_trade(
        quoted_trade(ltq=10, volume=vtt, **fields), price, at_ms, volume=10, previous_vtt=vtt - 10,
        hidden_since_ms=None,
    )  # fmt: skip


def candle_of(start: int, price: float, volume: int) -> Candle:
    return Candle(
        key=KEYS[0], start=start, open=price, high=price, low=price, close=price, volume=volume,
        epoch=1, ts=start + MINUTE_MS,
    )  # fmt: skip


def bar_of(window: BarBuilder, vtt_after: VolumeBounds | None = None) -> Bar:
    bar = window.bar(KEYS[0], vtt_after)
    assert bar is not None
    return bar


def test_a_window_without_a_known_trade_has_no_bar() -> None:
    window = BarBuilder(T0)
    window.record_hidden_trades(T0, T0 + 1)
    assert window.bar(KEYS[0]) is None
    assert window.is_partial
    assert not window.has_trades


def test_a_bar_combines_its_minutes_in_their_order_of_time() -> None:
    window = BarBuilder(T0)
    trade(window, T0 + MINUTE_MS, 105.0, 1_020)
    trade(window, T0 + 3 * MINUTE_MS, 95.0, 1_030)
    trade(window, T0, 100.0, 1_010)
    bar = bar_of(window)
    assert (bar.open, bar.high, bar.low, bar.close) == (100.0, 105.0, 95.0, 95.0)
    assert (bar.volume, bar.ticks, bar.state) == (30, 3, BarState.COMPLETE)


def test_a_bar_has_the_quantity_average_and_open_interest_of_its_latest_trade() -> None:
    window = BarBuilder(T0)
    trade(window, T0 + 2_000, 100.0, 1_020, atp=100.5, oi=7)
    trade(window, T0 + 1_000, 101.0, 1_010, atp=99.0, oi=6)
    bar = bar_of(window)
    assert (bar.ltt, bar.ltq, bar.atp, bar.oi) == (T0 + 2_000, 10, 100.5, 7)


def test_hidden_trades_make_each_minute_of_the_window_partial_that_they_touch() -> None:
    window = BarBuilder(T0)
    window.record_hidden_trades(T0 - MINUTE_MS, T0 + 2 * MINUTE_MS)
    for minute in range(3):
        assert window.is_partial
        window.apply_candle(candle_of(T0 + minute * MINUTE_MS, 100.0, 1))
    assert not window.is_partial


def test_hidden_trades_before_the_minute_of_their_quote_are_noted_in_that_minute() -> None:
    window = BarBuilder(T0)
    window.record_trade(
        quoted_trade(ltq=10, volume=1_050), 100.0, T0 + MINUTE_MS, volume=50, previous_vtt=1_000,
        hidden_since_ms=T0 + 1_000,
    )  # fmt: skip
    (minute,) = window.minutes
    assert (minute.is_partial, minute.hidden_since_ms) == (True, T0 + 1_000)


def test_a_dismissed_tail_leaves_other_minutes_partial() -> None:
    window = BarBuilder(T0)
    window.record_hidden_trades(T0, T0 + 2 * MINUTE_MS, is_tail=True)
    window.dismiss_hidden_tail(T0 + 1_000, T0 + MINUTE_MS)
    partial = [minute.start_ms for minute in window.minutes if minute.is_tail_partial]
    assert partial == [T0 + 2 * MINUTE_MS]


def test_cumulative_volume_at_the_end_follows_from_start_and_candles() -> None:
    window = BarBuilder(T0)
    window.apply_candle(candle_of(T0, 100.0, 30))
    window.apply_candle(candle_of(T0 + MINUTE_MS, 100.0, 12))
    window.close(epoch=1, vtt_at_start=VolumeBounds(1_000, 1_000))
    assert window.vtt_at_end() == VolumeBounds(1_042, 1_042)


def test_cumulative_volume_is_at_least_that_of_the_last_quote_if_trades_are_hidden() -> None:
    window = BarBuilder(T0)
    trade(window, T0, 100.0, 1_010)
    window.record_hidden_trades(T0, T0)
    assert window.vtt_at_end() == VolumeBounds(1_010, None)


def test_cumulative_volume_is_bounded_by_the_first_trade_after_the_window() -> None:
    window = BarBuilder(T0)
    window.apply_candle(candle_of(T0, 100.0, 30))
    assert bar_of(window).vtt == 30
    assert bar_of(window, VolumeBounds(1_030, 1_030)).vtt == 1_030


def test_volume_traded_unseen_is_part_of_the_bar() -> None:
    window = BarBuilder(T0)
    trade(window, T0, 100.0, 1_010)
    window.record_unseen_volume(T0 + MINUTE_MS, 5)
    assert bar_of(window).volume == 15


def test_an_unconfirmed_window_is_partial_until_it_is_confirmed() -> None:
    window = BarBuilder(T0)
    trade(window, T0, 100.0, 1_010)
    window.close(epoch=6, vtt_at_start=None, silent_ms=2_000, is_unconfirmed=True)
    bar = bar_of(window)
    assert (bar.state, bar.silent_ms, bar.epoch) == (BarState.PARTIAL, 2_000, 6)
    window.confirm()
    assert bar_of(window).state is BarState.COMPLETE


@HALF_AS_MANY
@given(stories())
def test_resuming_at_any_checkpoint_gives_the_same_bars(story: Story) -> None:
    entries, _ = story.entries()
    all_closed, amended = run(entries)
    for index, closed in enumerate(all_closed):
        state = decode_state(closed.checkpoint)
        rest = [entry for entry in entries if entry[0] >= state.next_position]
        assert run(rest, state) == (all_closed[index + 1 :], amended)


# The day's first trades are made in an outage. The snapshot's candle holds only the last one.
IN_AN_OUTAGE = Story(
    trades=[Trade("A|1", T0 + at_ms, 1.0, 4) for at_ms in (469_742, 570_342, 600_342)],
    since=T0, every_ms=1_000, is_quiet=True, outages=[Outage(T0 + 301_030, T0 + 601_030)], lose=[],
)  # fmt: skip


# The client leaves within the window, before its second trade.
LEFT = Story(
    trades=[Trade("A|1", T0 + at_ms, 2.0, 4) for at_ms in (70_000, WINDOW_MS - 60_000)],
    since=T0, every_ms=1_000, is_quiet=True, outages=[], lose=[],
    absences=[Absence("A|1", T0 + 120_000, END + 9 * WINDOW_MS)],
)  # fmt: skip


@HALF_AS_MANY
@given(stories())
@example(IN_AN_OUTAGE)
@example(LEFT)
def test_a_complete_bar_equals_the_trades_of_its_window(story: Story) -> None:
    expected = truth(story)
    for place, bar in newest(*run(story.entries()[0])).items():
        if bar.state is BarState.COMPLETE and place[1] < END:
            assert wrong_fields(expected[place], bar) == []


@HALF_AS_MANY
@given(stories(faulty=False, is_quiet=False))
def test_without_a_fault_every_window_with_trades_has_a_complete_bar(story: Story) -> None:
    expected = {place: bar for place, bar in truth(story).items() if place[1] > T0}
    bars = newest(*run(story.entries()[0]))
    assert {place for place in bars if T0 < place[1] < END} == expected.keys()
    for place, bar in expected.items():
        assert bars[place].state is BarState.COMPLETE
        assert wrong_fields(bar, bars[place]) == []


@HALF_AS_MANY
@given(stories())
def test_a_window_with_trades_has_a_bar_or_is_in_a_gap(story: Story) -> None:
    closed, amended = run(story.entries()[0])
    bars = newest(closed, amended)
    for key, start in truth(story):
        gaps = [gap for windows in closed for gap in windows.gaps if key in gap.keys]
        in_gap = any(gap.start_ms <= start < gap.end_ms for gap in gaps)
        assert (key, start) in bars or in_gap or start <= T0 or story.is_left(key, start)


@HALF_AS_MANY
@given(stories(is_quiet=False))
def test_only_a_window_with_a_fault_near_it_is_partial(story: Story) -> None:
    for (_, start), bar in newest(*run(story.entries()[0])).items():
        if bar.state is BarState.PARTIAL and T0 < start < END:
            assert any(
                since < start + WINDOW_MS + 70_000 and start - 70_000 < until
                for since, until in story.faults()
            )


def versions(entries: list[Entry]) -> dict[tuple[str, int], list[tuple[int, Bar]]]:
    """By instrument and window, the bars in the order in which they are stored, with the time."""
    target = Aggregator(AggregatorState(), grace_ms=2_000, silent_after_ms=15_000)
    stored: dict[tuple[str, int], list[tuple[int, Bar]]] = {}
    for entry in entries:
        feed(target, entry)
        closed = target.take_closed()
        for bar in closed.bars if closed is not None else target.take_amended().bars:
            stored.setdefault((bar.key, bar.start), []).append((entry[1].ts, bar))
    return stored


def states_of(entries: list[Entry], key: str, start: int) -> list[str]:
    """The state of each stored version of a bar, the oldest version first."""
    return [bar.state.value for _, bar in versions(entries)[key, start]]


# The feed is away after the first window has closed; the next quote hides trades.
AWAY_AFTER_THE_WINDOW = Story(
    trades=[
        Trade("A|1", T0 + at_ms, 2.0, 4)
        for at_ms in (70_000, WINDOW_MS + 20_000, WINDOW_MS + 21_000, WINDOW_MS + 40_000)
    ],
    since=T0, every_ms=1_000, is_quiet=True,
    outages=[Outage(T0 + WINDOW_MS + 10_000, T0 + WINDOW_MS + 30_000)], lose=[],
)  # fmt: skip


@HALF_AS_MANY
@given(stories())
@example(AWAY_AFTER_THE_WINDOW)
def test_the_store_ends_with_the_newest_version_of_each_bar(story: Story) -> None:
    entries, _ = story.entries()
    target = Aggregator(AggregatorState(), grace_ms=2_000, silent_after_ms=15_000)
    stored: dict[tuple[str, int], Bar] = {}
    newest_of: dict[tuple[str, int], Bar] = {}

    def store(bars: Sequence[Bar], doubted: Collection[tuple[str, int]]) -> None:
        for place, bar in {(bar.key, bar.start): bar for bar in bars}.items():
            newest_of[place] = bar
            before = stored.get(place, bar)
            is_partial = bar.state is BarState.PARTIAL
            if not is_partial or not must_stay(before, bar, is_doubted=place in doubted):
                stored[place] = bar

    for entry in entries:
        feed(target, entry)
        if (closed := target.take_closed()) is not None:
            store(closed.bars, closed.doubted)
        else:
            store(*target.take_amended())
    store(*target.take_amended())
    assert stored == newest_of


@HALF_AS_MANY
@given(stories())
@example(AWAY_AFTER_THE_WINDOW)
def test_a_complete_bar_becomes_partial_only_by_something_near_its_window(story: Story) -> None:
    faults = story.faults()
    for (_, start), bars in versions(story.entries()[0]).items():
        # The feed has reported all trades of the window four seconds later, in its next frame.
        proven = start + WINDOW_MS + 4_000 + story.every_ms
        for (_, before), (at, after) in pairwise(bars):
            if (before.state, after.state) == (BarState.COMPLETE, BarState.PARTIAL):
                is_fault_near = any(
                    since < proven and start - 70_000 < until for since, until in faults
                )
                assert at < proven or is_fault_near


def test_an_outage_after_a_window_does_not_make_its_complete_bar_partial() -> None:
    entries, _ = AWAY_AFTER_THE_WINDOW.entries()
    assert set(states_of(entries, "A|1", T0)) == {"complete"}
    gaps = [gap for windows in run(entries)[0] for gap in windows.gaps]
    assert all(gap.start_ms > T0 for gap in gaps)


def test_entries_lost_after_a_window_do_not_make_its_complete_bar_partial() -> None:
    entries, _ = replace(AWAY_AFTER_THE_WINDOW, outages=[]).entries()
    lost = range(T0 + WINDOW_MS + 10_000, T0 + WINDOW_MS + 30_000)
    rest = [entry for entry in entries if entry[1].ts not in lost]
    assert set(states_of(rest, "A|1", T0)) == {"complete"}


def test_an_outage_at_the_end_of_a_window_makes_its_bar_partial() -> None:
    story = replace(
        AWAY_AFTER_THE_WINDOW, outages=[Outage(T0 + WINDOW_MS + 1_000, T0 + WINDOW_MS + 30_000)]
    )
    assert states_of(story.entries()[0], "A|1", T0)[0] == "partial"
