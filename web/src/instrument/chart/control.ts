/** Actions of keys in a chart: move from bar to bar, zoom, and change to a table. */
import { type Signal, signal } from "@preact/signals-core";
import type { Item } from "./bars.ts";

/** The drawn chart, as far as keys need it. */
export interface Drawn {
  point(index: number | null): void;
  newest(): void;
  zoom(factor: number): void;
}

const ZOOM = 1.25;

export class ChartControl {
  readonly items: Signal<readonly Item[]> = signal([]);
  /** The item below the pointer or the crosshair; `null` is the newest. */
  readonly pointed = signal<number | null>(null);
  readonly isTable = signal(false);
  drawn: Drawn | null = null;

  step(steps: number): void {
    const last = this.items.peek().length - 1;
    const from = this.pointed.peek() ?? last;
    const index = Math.min(Math.max(from + steps, 0), last);
    this.pointed.value = index < 0 ? null : index;
    this.drawn?.point(this.pointed.peek());
  }

  newest(): void {
    this.pointed.value = null;
    this.drawn?.point(null);
    this.drawn?.newest();
  }

  zoomIn(): void {
    this.drawn?.zoom(ZOOM);
  }

  zoomOut(): void {
    this.drawn?.zoom(1 / ZOOM);
  }
}
