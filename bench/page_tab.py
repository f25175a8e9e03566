"""Measures a tab for `bench.page`: quotes received, gaps between frames, memory and work."""

from dataclasses import dataclass
from typing import Final

from playwright.async_api import CDPSession, Page

# Runs in the page before its own code. Counting is part of what is measured, and little of it.
COUNT_QUOTES: Final = """
window.receivedQuotes = 0;
const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(...parameters) {
    super(...parameters);
    this.addEventListener("message", ({ data }) => {
      if (!data.startsWith('{"type":"quotes"')) return;
      for (let at = data.indexOf('"key":'); at >= 0; at = data.indexOf('"key":', at + 6)) {
        window.receivedQuotes += 1;
      }
    });
  }
};
"""
_FRAMES: Final = """secs => new Promise(resolve => {
  const gaps = [];
  const end = performance.now() + secs * 1000;
  let last = performance.now();
  const next = now => {
    gaps.push(now - last);
    last = now;
    if (now < end) requestAnimationFrame(next); else resolve(gaps.slice(1));
  };
  requestAnimationFrame(next);
})"""


@dataclass(frozen=True)
class Reading:
    """Memory of a tab after a garbage collection, and the work time of its main thread."""

    heap_bytes: float
    nodes: float
    listeners: float
    task_secs: float
    """Everything on the main thread; painting and rastering run on other threads."""
    script_secs: float
    layout_secs: float
    """Styles included."""


class TabMeter:
    """Reads the memory and the main thread's times of a tab by DevTools."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    async def read(self) -> Reading:
        """Collect garbage twice, because finalisers release more, and read."""
        await self._session.send("Performance.enable")
        for _ in range(2):
            await self._session.send("HeapProfiler.collectGarbage")
        answer = await self._session.send("Performance.getMetrics")
        metrics = {metric["name"]: metric["value"] for metric in answer["metrics"]}
        return Reading(
            heap_bytes=metrics["JSHeapUsedSize"],
            nodes=metrics["Nodes"],
            listeners=metrics["JSEventListeners"],
            task_secs=metrics["TaskDuration"],
            script_secs=metrics["ScriptDuration"],
            layout_secs=metrics["LayoutDuration"] + metrics["RecalcStyleDuration"],
        )


async def frames_of(page: Page, secs: float) -> list[float]:
    """The time between two frames, in milliseconds, for as long as `secs`."""
    gaps: list[float] = await page.evaluate(_FRAMES, secs)
    return gaps


async def quotes_of(page: Page) -> int:
    """The number of quotes that the page has received."""
    count: int = await page.evaluate("window.receivedQuotes")
    return count
