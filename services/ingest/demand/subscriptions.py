"""What one connection is subscribed to, and of which instruments it has been told.

PURE: time is an argument (monotonic seconds).
"""

from collections.abc import Iterable

from services.ingest.demand.limits import Mode
from services.ingest.demand.planning import Method, Request


class ConnectionSubscriptions:
    """Begins empty with each connection: Upstox remembers nothing of the one before."""

    def __init__(self) -> None:
        self.modes: dict[str, Mode] = {}
        self._asked_at: dict[str, float] = {}

    def note(self, request: Request, now_secs: float) -> None:
        """`request` was sent."""
        for key in request.keys:
            if request.mode is None:
                self.modes.pop(key, None)
                self._asked_at.pop(key, None)
            else:
                if request.method is Method.SUBSCRIBE:
                    self._asked_at[key] = now_secs
                self.modes[key] = request.mode

    def heard(self, keys: Iterable[str]) -> bool:
        """Upstox has told of `keys`; True if that is news of one of them."""
        if not self._asked_at:
            return False
        fresh = [key for key in keys if key in self._asked_at]
        for key in fresh:
            del self._asked_at[key]
        return bool(fresh)

    def unheard(self, now_secs: float, *, for_secs: float) -> tuple[list[str], list[str]]:
        """Of those not heard of yet: asked for lately, and `for_secs` ago or longer."""
        lately: list[str] = []
        long: list[str] = []
        for key, asked_at in self._asked_at.items():
            (long if now_secs - asked_at >= for_secs else lately).append(key)
        return lately, long
