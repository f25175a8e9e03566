"""The NIFTY 50 stocks and their indices.

Keys, symbols and names are the real ones, so that a client finds the same instruments at
Upstox. Prices are only plausible.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class InstrumentType(StrEnum):
    """Upstox's `instrument_type`."""

    EQUITY = "EQ"
    INDEX = "INDEX"
    FUTURE = "FUT"
    CALL = "CE"
    PUT = "PE"


@dataclass(frozen=True, slots=True)
class ListedInstrument:
    """Static data of one instrument; prices in paise."""

    key: str
    symbol: str
    name: str
    base_paise: int
    """Previous close on the first simulated day; prices revert to it."""
    tick_paise: int
    constituents: tuple[str, ...] = ()
    """Keys of the stocks in an index; empty for all other instruments."""
    instrument_type: InstrumentType = InstrumentType.EQUITY
    lot_size: int = 1
    freeze_quantity: int = 100_000
    """Maximum quantity of one order."""
    isin: str | None = None
    expiry_ms: int | None = None
    """End of trading of a derivative, epoch ms; None for all other instruments."""
    strike_paise: int | None = None
    """None for all instruments but options."""
    underlying_key: str | None = None
    """The instrument whose price a derivative follows; None if it follows none."""
    multiplier: int = 1
    """Price units in one unit of quantity; above 1 only for commodities, whose unit is a lot."""

    @property
    def segment(self) -> str:
        """The part of the key before the bar, e.g. ``NSE_EQ``."""
        return self.key.partition("|")[0]

    @property
    def exchange(self) -> str:
        """``NSE``, ``BSE`` or ``MCX``."""
        return self.segment.partition("_")[0]

    @property
    def is_option(self) -> bool:
        """Whether it is a call or a put, and so has greeks."""
        return self.instrument_type in (InstrumentType.CALL, InstrumentType.PUT)

    @property
    def is_index(self) -> bool:
        """Whether it is an index, which has a value but no quantity, volume or order book."""
        return self.instrument_type is InstrumentType.INDEX


def tick_paise(price_paise: int) -> int:
    """NSE's tick size of a stock at this price (both in paise)."""
    for below_rupees, tick in _TICK_BANDS:
        if price_paise < below_rupees * 100:
            return tick
    return 500


_TICK_BANDS: Final = ((250, 1), (1_000, 5), (5_000, 10), (10_000, 50), (20_000, 100))
_INDEX_TICK_PAISE: Final = 5

# symbol, ISIN, name, base price in rupees
_STOCKS: Final = (
    ("ADANIENT", "INE423A01024", "Adani Enterprises", 2_500),
    ("ADANIPORTS", "INE742F01042", "Adani Ports and SEZ", 1_400),
    ("APOLLOHOSP", "INE437A01024", "Apollo Hospitals Enterprise", 7_700),
    ("ASIANPAINT", "INE021A01026", "Asian Paints", 2_500),
    ("AXISBANK", "INE238A01034", "Axis Bank", 1_200),
    ("BAJAJ-AUTO", "INE917I01010", "Bajaj Auto", 8_900),
    ("BAJFINANCE", "INE296A01032", "Bajaj Finance", 1_010),
    ("BAJAJFINSV", "INE918I01026", "Bajaj Finserv", 2_050),
    ("BEL", "INE263A01024", "Bharat Electronics", 405),
    ("BHARTIARTL", "INE397D01024", "Bharti Airtel", 1_950),
    ("CIPLA", "INE059A01026", "Cipla", 1_560),
    ("COALINDIA", "INE522F01014", "Coal India", 385),
    ("DRREDDY", "INE089A01031", "Dr. Reddy's Laboratories", 1_250),
    ("EICHERMOT", "INE066A01021", "Eicher Motors", 6_900),
    ("ETERNAL", "INE758T01015", "Eternal", 320),
    ("GRASIM", "INE047A01021", "Grasim Industries", 2_850),
    ("HCLTECH", "INE860A01027", "HCL Technologies", 1_500),
    ("HDFCBANK", "INE040A01034", "HDFC Bank", 980),
    ("HDFCLIFE", "INE795G01014", "HDFC Life Insurance", 750),
    ("HINDALCO", "INE038A01020", "Hindalco Industries", 780),
    ("HINDUNILVR", "INE030A01027", "Hindustan Unilever", 2_500),
    ("ICICIBANK", "INE090A01021", "ICICI Bank", 1_370),
    ("INDIGO", "INE646L01027", "InterGlobe Aviation", 5_700),
    ("INFY", "INE009A01021", "Infosys", 1_480),
    ("ITC", "INE154A01025", "ITC", 410),
    ("JIOFIN", "INE758E01017", "Jio Financial Services", 305),
    ("JSWSTEEL", "INE019A01038", "JSW Steel", 1_160),
    ("KOTAKBANK", "INE237A01036", "Kotak Mahindra Bank", 2_130),
    ("LT", "INE018A01030", "Larsen & Toubro", 3_900),
    ("M&M", "INE101A01026", "Mahindra & Mahindra", 3_500),
    ("MARUTI", "INE585B01010", "Maruti Suzuki India", 16_200),
    ("MAXHEALTH", "INE027H01010", "Max Healthcare Institute", 1_130),
    ("NESTLEIND", "INE239A01024", "Nestle India", 1_200),
    ("NTPC", "INE733E01010", "NTPC", 335),
    ("ONGC", "INE213A01029", "Oil and Natural Gas Corporation", 252),
    ("POWERGRID", "INE752E01010", "Power Grid Corporation of India", 288),
    ("RELIANCE", "INE002A01018", "Reliance Industries", 1_420),
    ("SBILIFE", "INE123W01016", "SBI Life Insurance", 1_850),
    ("SBIN", "INE062A01020", "State Bank of India", 900),
    ("SHRIRAMFIN", "INE721A01047", "Shriram Finance", 690),
    ("SUNPHARMA", "INE044A01036", "Sun Pharmaceutical Industries", 1_680),
    ("TATACONSUM", "INE192A01025", "Tata Consumer Products", 1_150),
    ("TMPV", "INE155A01022", "Tata Motors Passenger Vehicles", 400),
    ("TATASTEEL", "INE081A01020", "Tata Steel", 175),
    ("TCS", "INE467B01029", "Tata Consultancy Services", 3_000),
    ("TECHM", "INE669C01036", "Tech Mahindra", 1_440),
    ("TITAN", "INE280A01028", "Titan Company", 3_700),
    ("TRENT", "INE849A01020", "Trent", 4_700),
    ("ULTRACEMCO", "INE481G01011", "UltraTech Cement", 12_200),
    ("WIPRO", "INE075A01022", "Wipro", 245),
)
_BANKS: Final = frozenset({"AXISBANK", "HDFCBANK", "ICICIBANK", "KOTAKBANK", "SBIN"})

STOCKS: Final = tuple(
    ListedInstrument(
        f"NSE_EQ|{isin}", symbol, name, rupees * 100, tick_paise(rupees * 100), isin=isin
    )
    for symbol, isin, name, rupees in _STOCKS
)
INDICES: Final = (
    ListedInstrument(
        "NSE_INDEX|Nifty 50",
        "NIFTY",
        "Nifty 50",
        2_500_000,
        _INDEX_TICK_PAISE,
        tuple(stock.key for stock in STOCKS),
        InstrumentType.INDEX,
    ),
    ListedInstrument(
        "NSE_INDEX|Nifty Bank",
        "BANKNIFTY",
        "Nifty Bank",
        5_600_000,
        _INDEX_TICK_PAISE,
        tuple(stock.key for stock in STOCKS if stock.symbol in _BANKS),
        InstrumentType.INDEX,
    ),
)
INSTRUMENTS: Final = STOCKS + INDICES
