"""Decides whether a stored bar is better than a partial one of the same window. Pure."""

from shared.contracts.history import HistoryBar
from shared.contracts.messages import Bar, BarState


def must_stay(stored: Bar, partial: Bar, *, is_doubted: bool = False) -> bool:
    """Whether `stored` must not be replaced by `partial`.

    A repaired bar stays. A complete bar stays unless the partial one has a trade that it lacks,
    or the aggregator itself had made it complete and doubts it now (`is_doubted`). After a lost
    checkpoint the stream is read again from its oldest entry, which gives partial bars for want
    of the entries before: these say nothing against a complete bar.
    """
    if stored.state is BarState.PARTIAL:
        return False
    if stored.state is BarState.REPAIRED:
        return True
    return not is_doubted and has_all_trades(stored, partial)


def has_all_trades(bar: Bar | HistoryBar, other: Bar | HistoryBar) -> bool:
    """Whether no trade of `other` is missing in `bar`, as far as prices and volume show."""
    is_within = bar.low <= other.low and other.high <= bar.high
    return is_within and (other.volume or 0) <= (bar.volume or 0)
