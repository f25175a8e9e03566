/** Pauses between attempts: exponential with full jitter, so that clients do not return at once. Pure. */

export interface Backoff {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** The pause before attempt `attempt` (from 0): at random between zero and a limit that doubles. */
export function pauseMs(
  attempt: number,
  { firstMs, mostMs }: Backoff,
  random: () => number,
): number {
  // 2^30 is beyond every limit, and larger exponents would overflow.
  return random() * Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 30));
}
