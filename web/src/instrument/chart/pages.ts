/** All bars and gaps of a time, page by page. */
import type { Bars, Gaps, Range } from "../../api/market.ts";
import type { Gap, StoredBar } from "./bars.ts";

export interface HistoryCalls {
  bars(range: Range, interval: string, signal: AbortSignal): Promise<Bars>;
  gaps(range: Range, signal: AbortSignal): Promise<Gaps>;
}

export interface Answer {
  readonly bars: readonly StoredBar[];
  readonly gaps: readonly Gap[];
  /** Until when bars are missing, because Upstox does not answer at the moment; `null` if none are. */
  readonly missingToMs: number | null;
}

/** The server waits two seconds for Upstox before it answers with a page that may be empty. */
const MOST_PAGES = 30;

type Time = Omit<Range, "cursor">;

export async function readBars(
  calls: HistoryCalls,
  time: Time,
  interval: string,
  signal: AbortSignal,
): Promise<Pick<Answer, "bars" | "missingToMs">> {
  const bars: StoredBar[] = [];
  let cursor: string | null = null;
  let missingToMs: number | null = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer: Bars = await calls.bars({ ...time, cursor }, interval, signal);
    bars.push(...answer.bars);
    cursor = answer.next ?? null;
    missingToMs = answer.unfetched?.to_ms ?? null;
    if (cursor === null) break;
  }
  return { bars, missingToMs };
}

export async function readGaps(
  calls: HistoryCalls,
  time: Time,
  signal: AbortSignal,
): Promise<readonly Gap[]> {
  const gaps: Gap[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer: Gaps = await calls.gaps({ ...time, cursor }, signal);
    gaps.push(...answer.gaps);
    cursor = answer.next ?? null;
    if (cursor === null) break;
  }
  return gaps;
}
