/** The time and timers, as an argument: tests set them by hand. */

export type Cancel = () => void;

export interface Clock {
  /** Unix milliseconds of this machine. */
  now(): number;
  /** Run once after a pause, unless cancelled before. */
  later(pauseMs: number, work: () => void): Cancel;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  later(pauseMs, work) {
    const timer = setTimeout(work, pauseMs);
    return () => clearTimeout(timer);
  },
};
