/** The connections that were lost, kept while the tab is open, over reloads of the page. Pure. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import { dayOf } from "../ui/ist.ts";

export interface Reconnect {
  readonly at_ms: number;
  readonly reason: string;
}

/** A text that the browser keeps for this tab. */
export interface KeptLog {
  read(): string | null;
  write(text: string): void;
}

const MOST_KEPT = 50;

export class Reconnects {
  readonly #kept: KeptLog;
  readonly #report: (trouble: unknown) => void;
  readonly #all;
  readonly #isFirst = signal(true);

  constructor(kept: KeptLog, report: (trouble: unknown) => void) {
    this.#kept = kept;
    this.#report = report;
    this.#all = signal(parsed(kept.read()));
  }

  /** The newest 50, the newest last. */
  get all(): ReadonlySignal<readonly Reconnect[]> {
    return this.#all;
  }

  /** Whether no connection was lost since the page was loaded. */
  get isFirst(): ReadonlySignal<boolean> {
    return this.#isFirst;
  }

  add(entry: Reconnect): void {
    this.#isFirst.value = false;
    this.#all.value = [...this.#all.peek(), entry].slice(-MOST_KEPT);
    try {
      this.#kept.write(JSON.stringify(this.#all.peek()));
    } catch (error) {
      this.#report(error);
    }
  }
}

/** Those of a day in India. */
export const ofDay = (all: readonly Reconnect[], day: number): readonly Reconnect[] =>
  all.filter((one) => dayOf(one.at_ms) === day);

/** Stored text of another version of the page is dropped if it has another form. */
function parsed(text: string | null): readonly Reconnect[] {
  try {
    const kept: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(kept) ? kept.filter(isReconnect).slice(-MOST_KEPT) : [];
  } catch {
    return [];
  }
}

function isReconnect(value: unknown): value is Reconnect {
  const entry = value as Partial<Reconnect> | null;
  return typeof entry?.at_ms === "number" && typeof entry.reason === "string";
}
