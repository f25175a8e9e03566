"""How much of an instrument the feed sends."""

from enum import StrEnum


class Mode(StrEnum):
    """Upstox's names; an instrument is in one of them."""

    LTPC = "ltpc"
    OPTION_GREEKS = "option_greeks"
    FULL = "full"
    FULL_D30 = "full_d30"
