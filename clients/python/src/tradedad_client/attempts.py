"""Decides whether a request is sent again, and which error ends it. Pure."""

from typing import Final

from tradedad_client.answers import Effect, Failure
from tradedad_client.backoff import Backoff
from tradedad_client.errors import OutcomeUnknown, Unavailable

_BASE_SECS: Final = 0.2
_CAP_SECS: Final = 3.0


class Attempts:
    """The attempts of one request until `deadline`, a time of the caller's clock in seconds.

    A failure that is temporary is followed by another attempt, unless the request may have been
    executed and is not `is_repeatable`. `command_key` is None for a request that is no command.
    """

    def __init__(
        self,
        command_key: str | None,
        deadline: float,
        backoff: Backoff | None = None,
        *,
        is_repeatable: bool = True,
    ) -> None:
        self._command_key = command_key
        self._deadline = deadline
        self._backoff = backoff or Backoff(_BASE_SECS, _CAP_SECS)
        self._is_repeatable = is_repeatable
        self._may_be_executed = False

    def pause_secs(self, failure: Failure, now: float) -> float:
        """Return the pause before the next attempt.

        Raises if there is none: OutcomeUnknown if the command may have been executed, else the
        error of the failure.
        """
        error = failure.error
        if failure.effect is Effect.ANSWERED:
            raise error
        self._may_be_executed |= failure.effect is Effect.UNKNOWN
        may_repeat = self._is_repeatable or not self._may_be_executed
        if not isinstance(error, Unavailable) or not may_repeat:
            raise self._final(error)
        pause_secs = self._backoff.next_secs(error.retry_after_secs)
        if now + pause_secs >= self._deadline:
            raise self._final(error)
        return pause_secs

    def _final(self, error: Exception) -> Exception:
        if self._command_key is None or not self._may_be_executed:
            return error
        unknown = OutcomeUnknown(
            f"the outcome of the command is not known: {error}", command_key=self._command_key
        )
        unknown.__cause__ = error
        return unknown
