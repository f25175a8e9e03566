"""Detects services that do not do their job while all of them report to be ready."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from embedded.stack import Stack, readiness

_SAMPLE_SECS: Final = 1.0


@dataclass
class Duty:
    """A job that some services do together, and how long they may fail to without a word."""

    name: str
    services: tuple[str, ...]
    max_silence_secs: float
    last_done_at: Callable[[], float]
    """Monotonic time at which the job was last seen done."""
    reported_at: float = 0.0
    """Monotonic time at which one of the services last reported that it is not ready."""
    is_silent: bool = False


@dataclass
class SilenceDetector:
    """Samples the readiness of all services, once a second."""

    stack: Stack
    duties: list[Duty]
    violations: list[str] = field(default_factory=list)
    not_ready_samples: dict[str, int] = field(default_factory=dict)

    async def run(self) -> None:
        """Sample until cancelled; raises StackFailedError if the stack ends."""
        while True:
            self.stack.check_alive()
            answers = await asyncio.gather(
                *(asyncio.to_thread(readiness, url) for url in self.stack.plan.ops_urls.values())
            )
            now = time.monotonic()
            states = dict(zip(self.stack.plan.ops_urls, answers, strict=True))
            for name, state in states.items():
                if state != "ready":
                    self.not_ready_samples[name] = self.not_ready_samples.get(name, 0) + 1
            for duty in self.duties:
                self._check(duty, states, now)
            await asyncio.sleep(_SAMPLE_SECS)

    def _check(self, duty: Duty, states: dict[str, str], now: float) -> None:
        if any(states[name] != "ready" for name in duty.services):
            duty.reported_at = now
        last = max(duty.last_done_at(), duty.reported_at)
        is_silent = now - last > duty.max_silence_secs
        if is_silent and not duty.is_silent:
            services = ", ".join(duty.services)
            self.violations.append(
                f"{duty.name}: not done for {now - duty.last_done_at():.0f} s, and {services} ready"
            )
        duty.is_silent = is_silent
