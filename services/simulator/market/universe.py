"""Which instruments a simulated market has.

PURE.
"""

from typing import Final, Literal

from services.simulator.market.contracts import contracts
from services.simulator.market.instruments import (
    INDICES,
    INSTRUMENTS,
    STOCKS,
    ListedInstrument,
    tick_paise,
)

Universe = Literal["nifty50", "full"]

MOST_SYNTHETIC: Final = 5_000
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def instruments_of(
    universe: Universe, *, synthetic: int, start_ms: int
) -> tuple[ListedInstrument, ...]:
    """The NIFTY 50 with its indices; `full` adds derivatives; then made-up stocks, for load."""
    made_up = tuple(synthetic_stock(number) for number in range(synthetic))
    derivatives = contracts(start_ms) if universe == "full" else ()
    if not made_up and not derivatives:
        return INSTRUMENTS
    return (*STOCKS, *made_up, *INDICES, *derivatives)


def synthetic_stock(number: int) -> ListedInstrument:
    """A stock that does not exist, with a valid ISIN of a series that nobody uses."""
    code = "".join(_DIGITS[number // 36**place % 36] for place in (2, 1, 0))
    body = f"INE9{code}0199"
    isin = f"{body}{_check_digit(body)}"
    price_paise = (50 + number * 37 % 4_000) * 100
    symbol = f"SIM{number:04}"
    return ListedInstrument(
        f"NSE_EQ|{isin}",
        symbol,
        f"Simulated {number}",
        price_paise,
        tick_paise(price_paise),
        isin=isin,
    )


def _check_digit(body: str) -> int:
    digits = "".join(str(int(character, 36)) for character in body)
    doubled = (int(d) * (1 if place % 2 else 2) for place, d in enumerate(reversed(digits)))
    return -sum(d // 10 + d % 10 for d in doubled) % 10
