"""Runs a side job of the leader, whose failure must not end the storage of bars."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from services.persister import metrics
from shared.errors import LeaseLost, StaleEpoch
from shared.runtime.backoff import Backoff
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_MAX_PAUSE_SECS: Final = 300.0


async def keep_running(job: str, run: Callable[[], Awaitable[None]]) -> None:
    """Run `run` until cancelled, again after each failure.

    Raises LeaseLost or StaleEpoch if another persister leads.
    """
    backoff = Backoff(1.0, _MAX_PAUSE_SECS)
    while True:
        try:
            return await run()
        except (LeaseLost, StaleEpoch):
            raise
        except Exception as error:  # noqa: BLE001  (whatever it is, bars go on)
            metrics.SIDE_JOB_FAILURES.labels(job).inc()
            log.warning(
                "side job failed, starting it again",
                job=job,
                error=repr(error),
                raised_at=_raised_at(error),
            )
        await asyncio.sleep(backoff.next_secs())


def _raised_at(error: BaseException) -> str:
    """File and line that raised `error`. A whole traceback would read files in the event loop."""
    place = "unknown"
    traceback = error.__traceback__
    while traceback is not None:
        place = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place
