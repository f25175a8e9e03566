"""The modes of a subscription: how much of an instrument the feed sends."""

from enum import StrEnum


class Mode(StrEnum):
    """Upstox's modes; each subscribed instrument has one."""

    LTPC = "ltpc"
    OPTION_GREEKS = "option_greeks"
    FULL = "full"
    FULL_D30 = "full_d30"
