"""How long tests wait for what must happen.

A test must pass on a machine that is busy with other work. Every duration in a test is therefore
one of two kinds:

- Patience: a bound on a wait for an event that must come, such as a reply, a readiness change or
  the end of a process. It only ends a test that has failed already, so it is generous and comes
  from this module. Fixtures set the deadlines of services under test from this module too,
  instead of keeping production's.
- The behaviour under test: a heartbeat that must pass, a token that must expire, a call that must
  time out. Such a number is written in the test, and the test asserts the order of events, never
  how long they took.

A promise in seconds is neither. Its test has the mark `seconds`, and `make test` runs these tests
after all others, alone in one process.

The environment variable `TEST_PATIENCE` multiplies every constant here, for machines that are
slower still: ``TEST_PATIENCE=3 make test``.
"""

import os
from typing import Final

import pytest

FACTOR: Final = float(os.environ.get("TEST_PATIENCE", "1"))

PATIENCE_SECS: Final = 60.0 * FACTOR
"""The longest wait for one event."""
PATIENCE_MS: Final = int(PATIENCE_SECS * 1_000)

TEST_TIMEOUT_SECS: Final = 600.0 * FACTOR
"""The longest that a whole test may take, its fixtures included: the bound on a test that hangs."""

OUTAGE_SECS: Final = 5.0 * FACTOR
"""The deadline of calls to a server that the test kills or freezes. A call that is lost in the
outage costs the test this long, so it is shorter than `PATIENCE_SECS`."""

LEASE_TTL_SECS: Final = 30.0 * FACTOR
"""The lease of a leader that no standby follows: it must not lapse on a busy machine."""

TAKEOVER_TTL_SECS: Final = 8.0 * FACTOR
"""The lease of a leader that the test kills, stops or cuts off: the standby waits this long."""

# Deadlines that are constants in the code under test rather than settings.
_CODE_DEADLINES: Final = (
    "shared.web.key_set._FETCH_TIMEOUT_SECS",
    "services.auth.stores.terminations._TRANSACTION_SECS",
    "tradedad_client.client._LOGOUT_TIMEOUT_SECS",
    "services.trading.risk.switch_board.MAX_AGE_SECS",
    "services.trading.switches.switch_reader._TIMEOUT_SECS",
    "services.trading.bus.price_bands._TIMEOUT_SECS",
    "services.persister.instruments.detail_requests._MAX_CALL_SECS",
)


@pytest.fixture(autouse=True)
def patient_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raises the deadlines that services in this process have as constants in their code.

    A test about one of these deadlines sets it again for itself.
    """
    for name in _CODE_DEADLINES:
        monkeypatch.setattr(name, PATIENCE_SECS)
