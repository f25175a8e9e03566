/** Bars of one instrument, the oldest first: merged from several answers, with empty slots between. Pure. */
import type { components } from "../../api/gateway.gen.ts";
import type { StreamBar, StreamCandle } from "../../stream/protocol.ts";
import { dayOf } from "../../ui/ist.ts";
import { type Interval, lengthMs } from "./intervals.ts";

export type Gap = components["schemas"]["Gap"];
export type StoredBar = components["schemas"]["HistoryBar"];
export type BarState = components["schemas"]["HistoryBarState"];

export interface Bar {
  readonly start: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** `null` of an index, and if it is not known. */
  readonly volume: number | null;
  /** The volume of the day up to the end of the bar. */
  readonly dayVolume: number | null;
  readonly state: BarState;
  readonly silentMs: number;
  /** Quotes with a trade that the bar was made of. None: it is a candle of Upstox alone. */
  readonly ticks: number;
  /** Since when a forming bar has been watched, if not from its start. */
  readonly watchedFromMs?: number;
}

/** A time without a trade. */
export interface Slot {
  readonly start: number;
}
export type Item = Bar | Slot;

export const isBar = (item: Item): item is Bar => "close" in item;

/** A session of commodities at one minute has 870. */
const MOST_SLOTS = 900;

export function fromStored(bar: StoredBar): Bar {
  const { start, open, high, low, close, state, ticks } = bar;
  return {
    ...{ start, open, high, low, close, state, ticks },
    volume: bar.volume ?? null,
    dayVolume: bar.vtt ?? null,
    silentMs: bar.silent_ms ?? 0,
  };
}

export function fromStream(bar: StreamBar): Bar {
  const { start, open, high, low, close, volume, state, ticks } = bar;
  return {
    ...{ start, open, high, low, close, volume, state, ticks },
    dayVolume: bar.vtt,
    silentMs: bar.silent_ms,
  };
}

/** A candle is Upstox's, like the bars of one minute that the server answers with. */
export function fromCandle({ start, open, high, low, close, volume }: StreamCandle): Bar {
  const known = { start, open, high, low, close, volume: volume ?? null };
  return { ...known, dayVolume: null, state: "repaired", silentMs: 0, ticks: 0 };
}

/** Both in order; of two bars with the same start, the one of `newer`. */
export function merged(bars: readonly Bar[], newer: readonly Bar[]): readonly Bar[] {
  const [first, last] = [newer[0], newer.at(-1)];
  if (first === undefined || last === undefined) return bars;
  if ((bars.at(-1)?.start ?? -1) < first.start) return [...bars, ...newer];
  if ((bars[0]?.start ?? Number.POSITIVE_INFINITY) > last.start) return [...newer, ...bars];
  const byStart = new Map([...bars, ...newer].map((bar) => [bar.start, bar]));
  return [...byStart.values()].sort((one, other) => one.start - other.start);
}

/** The bars, and an empty slot for each time of a day between two of them that has none. */
export function withSlots(bars: readonly Bar[], interval: Interval): Item[] {
  if (interval === "1d") return [...bars];
  const length = lengthMs(interval);
  const items: Item[] = [];
  let before: Bar | null = null;
  for (const bar of bars) {
    if (before !== null && dayOf(before.start) === dayOf(bar.start)) {
      const missing = Math.round((bar.start - before.start) / length) - 1;
      for (let slot = 1; slot <= missing && missing <= MOST_SLOTS; slot += 1) {
        items.push({ start: before.start + slot * length });
      }
    }
    items.push(bar);
    before = bar;
  }
  return items;
}

/** The gap that overlaps a bar or an empty slot. One that is open tells more than a repaired one. */
export function gapAt(gaps: readonly Gap[], start: number, interval: Interval): Gap | null {
  const end = start + lengthMs(interval);
  const found = gaps.filter((gap) => gap.from_ms < end && gap.to_ms > start);
  return found.find((gap) => gap.state !== "repaired") ?? found[0] ?? null;
}
