"""Expressions that several dashboards use."""

from typing import Final

WINDOW: Final = "$__rate_interval"


def rate(series: str, *labels: str) -> str:
    """The rate of a counter per second, summed by `labels`."""
    by = f" by ({', '.join(labels)})" if labels else ""
    return f"sum{by} (rate({series}[{WINDOW}]))"


def rare(series: str, *labels: str) -> str:
    """The same for a counter whose series appear with the first event: 0 before it."""
    return f"{rate(series, *labels)} or vector(0)"


def quantile(share: float, histogram: str, *labels: str, matchers: str = "") -> str:
    """A quantile of a histogram, by `labels`."""
    by = ", ".join(("le", *labels))
    return (
        f"histogram_quantile({share}, sum by ({by}) (rate({histogram}_bucket{matchers}[{WINDOW}])))"
    )
