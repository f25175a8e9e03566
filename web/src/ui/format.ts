/** Numbers with Indian grouping and times of day in IST, as text. Pure, and cheap per quote. */
import { DAY_MS, IST_OFFSET_MS } from "./ist.ts";

export const UNKNOWN = "–";
const MINUS = "−";
const LAKH = 100_000;
const CRORE = 10_000_000;

/** `1234567` as `12,34,567`: the last three digits, then groups of two. */
export function grouped(digits: string): string {
  if (digits.length <= 3) return digits;
  let rest = digits.slice(0, -3);
  let text = digits.slice(-3);
  while (rest.length > 2) {
    text = `${rest.slice(-2)},${text}`;
    rest = rest.slice(0, -2);
  }
  return `${rest},${text}`;
}

/** The same for each long number in a text; ids with letters or hyphens stay. */
export const withGroups = (text: string): string =>
  text.replace(/(?<![\w.-])\d{5,}(?![\w-])/g, grouped);

function fixed(value: number, decimals: number): string {
  const [whole = "", fraction] = Math.abs(value).toFixed(decimals).split(".");
  return fraction === undefined ? grouped(whole) : `${grouped(whole)}.${fraction}`;
}

const isZero = (text: string): boolean => !/[1-9]/.test(text);

/** A price in rupees, `12,34,567.89`; a missing one is unknown, never zero. */
export function price(value: number | null | undefined, decimals = 2): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  const text = fixed(value, decimals);
  return value < 0 && !isZero(text) ? MINUS + text : text;
}

/** A change with its sign. What rounds to zero has none. */
export function signed(value: number | null | undefined, decimals = 2): string {
  const text = price(value, decimals);
  return text === UNKNOWN || isZero(text) || text.startsWith(MINUS) ? text : `+${text}`;
}

/** A change in percent with its sign: `+1.25 %`. */
export function percent(value: number | null | undefined): string {
  const text = signed(value);
  return text === UNKNOWN ? text : `${text}\u00a0%`;
}

/** A quantity: `12,34,567`. */
export function quantity(value: number | null | undefined): string {
  return price(value, 0);
}

/** A large quantity in lakh and crore: `12.35 L`, `1.20 Cr`. */
export function compact(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  const size = Math.abs(value);
  // What rounds up to a crore is shown as one.
  if (size >= CRORE - LAKH / 200) return `${price(value / CRORE)}\u00a0Cr`;
  if (size >= LAKH) return `${price(value / LAKH)}\u00a0L`;
  return quantity(value);
}

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));

/** The time of day in India, `14:05:09`. */
export function timeOfDay(unixMs: number | null | undefined): string {
  if (unixMs === null || unixMs === undefined) return UNKNOWN;
  const secs = Math.floor(((((unixMs + IST_OFFSET_MS) % DAY_MS) + DAY_MS) % DAY_MS) / 1000);
  return `${two(Math.floor(secs / 3600))}:${two(Math.floor(secs / 60) % 60)}:${two(secs % 60)}`;
}

/** An age for people: `3 s`, `12 min`, `5 h`. */
export function age(ms: number): string {
  const secs = Math.max(0, Math.floor(ms / 1000));
  if (secs < 60) return `${secs}\u00a0s`;
  if (secs < 3600) return `${Math.floor(secs / 60)}\u00a0min`;
  return `${Math.floor(secs / 3600)}\u00a0h`;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Day and time in India, `27 Nov 2026 09:15`; of a time in unix ms, or an ISO 8601 text. */
export function dateTime(at: string | number | null | undefined): string {
  const unixMs = typeof at === "string" ? Date.parse(at) : (at ?? Number.NaN);
  if (Number.isNaN(unixMs)) return UNKNOWN;
  const date = new Date(unixMs + IST_OFFSET_MS);
  const month = MONTHS[date.getUTCMonth()] ?? "";
  const day = `${two(date.getUTCDate())} ${month} ${date.getUTCFullYear()}`;
  return `${day} ${timeOfDay(unixMs).slice(0, 5)}`;
}
