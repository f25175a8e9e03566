/** Days in India. IST has no daylight saving time. Pure. */

export const DAY_MS = 86_400_000;
export const IST_OFFSET_MS = 19_800_000;

/** The number of the day that contains a time; a later day has a higher one. */
export const dayOf = (unixMs: number): number => Math.floor((unixMs + IST_OFFSET_MS) / DAY_MS);
