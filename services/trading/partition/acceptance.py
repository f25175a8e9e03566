"""Whether the owner may still act: its lease, the deadline of the request, room in the journal."""

from dataclasses import dataclass
from math import inf

from services.trading.store.journal import Journal
from shared.bus.lease import Term
from shared.bus.responder import request_deadline_ms
from shared.errors import Overloaded, TimedOut, Unavailable
from shared.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Asked right before a command changes anything."""

    term: Term
    journal: Journal
    clock: Clock

    def check_owner(self) -> None:
        """Raises Unavailable if another process may have changed the accounts meanwhile."""
        if not self.term.is_valid():
            raise Unavailable("another process takes over this account; repeat the request")

    def check_deadline(self) -> None:
        """Raises TimedOut if nobody waits for the answer any more."""
        deadline_ms = request_deadline_ms()
        if deadline_ms is not None and self.clock.now_ms() >= deadline_ms:
            raise TimedOut("the command arrived after its deadline; nothing was done")

    def left_secs(self) -> float:
        """The time until the deadline of the request; infinite without one."""
        deadline_ms = request_deadline_ms()
        return inf if deadline_ms is None else (deadline_ms - self.clock.now_ms()) / 1_000

    def check(self) -> None:
        """Raises Unavailable, TimedOut or Overloaded; then nothing has changed."""
        self.check_owner()
        self.check_deadline()
        if not self.journal.has_room:
            raise Overloaded("too many changes wait to be stored; try again")
