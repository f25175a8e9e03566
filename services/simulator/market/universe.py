"""The instruments of a simulated market, by the settings."""

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

MAX_SYNTHETIC: Final = 5_000
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def instruments_of(
    universe: Universe, *, synthetic: int, start_ms: int
) -> tuple[ListedInstrument, ...]:
    """The NIFTY 50 stocks and their indices; `full` adds derivatives.

    `synthetic` is the number of additional synthetic stocks, for load tests.
    """
    synthetic_stocks = tuple(synthetic_stock(number) for number in range(synthetic))
    derivatives = contracts(start_ms) if universe == "full" else ()
    if not synthetic_stocks and not derivatives:
        return INSTRUMENTS
    return (*STOCKS, *synthetic_stocks, *INDICES, *derivatives)


def synthetic_stock(number: int) -> ListedInstrument:
    """A stock that does not exist, with a valid ISIN of an unused series."""
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
    """The last digit of an ISIN (Luhn's algorithm)."""
    digits = "".join(str(int(character, 36)) for character in body)
    doubled = (int(d) * (1 if place % 2 else 2) for place, d in enumerate(reversed(digits)))
    return -sum(d // 10 + d % 10 for d in doubled) % 10
