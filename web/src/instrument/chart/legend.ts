/** The figures of one bar as a line of text. Pure. */
import { compact, dateTime, percent, price } from "../../ui/format.ts";
import { type Gap, type Item, isBar } from "./bars.ts";
import type { Interval } from "./intervals.ts";
import { trustText } from "./trust.ts";

export function legendOf(item: Item, gaps: readonly Gap[], interval: Interval): string {
  const time = interval === "1d" ? dateTime(item.start).slice(0, 11) : dateTime(item.start);
  const trust = trustText(item, gaps, interval);
  if (!isBar(item)) return `${time} · ${trust}`;
  const { open, high, low, close, volume } = item;
  const change = open === 0 ? null : ((close - open) / open) * 100;
  const figures = `O ${price(open)} H ${price(high)} L ${price(low)} C ${price(close)}`;
  const traded = volume === null ? "" : ` V ${compact(volume)}`;
  return `${time} · ${figures} ${percent(change)}${traded} · ${trust}`;
}
