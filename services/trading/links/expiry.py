"""When Upstox's access tokens die: at 03:30 IST, however old they are. Pure."""

from typing import Final

from shared.market.exchange_time import DAY_MS, MINUTE_MS, day_start

_DEATH_OF_DAY_MS: Final = (3 * 60 + 30) * MINUTE_MS


def next_death_ms(issued_ms: int) -> int:
    """The first 03:30 IST after `issued_ms` (both epoch ms).

    A token whose time of issue is not known gets the time before it was requested: so a link
    never lasts longer than its token.
    """
    death_ms = day_start(issued_ms) + _DEATH_OF_DAY_MS
    return death_ms if issued_ms < death_ms else death_ms + DAY_MS
