/** Draws below the bars which of them are partial or repaired, and where bars are missing. */
import type {
  IPrimitivePaneRenderer,
  ISeriesPrimitive,
  Logical,
  SeriesAttachedParameter,
  Time,
} from "lightweight-charts";
import type { Mark } from "./trust.ts";

/** Of the library's dependency, which is not one of the page. */
type Target = Parameters<IPrimitivePaneRenderer["draw"]>[0];

const STRIP_HEIGHT = 6;
const HATCH_STEP = 4;
const MOST_WIDTH = 24;

export class MarkLayer implements ISeriesPrimitive<Time> {
  #marks: readonly (Mark | null)[] = [];
  #colours = { warning: "", calm: "" };
  #attached: SeriesAttachedParameter<Time> | null = null;
  readonly #views = [
    {
      zOrder: () => "bottom" as const,
      renderer: () => ({ draw: (target: Target) => this.#draw(target) }),
    },
  ];

  attached(parameters: SeriesAttachedParameter<Time>): void {
    this.#attached = parameters;
  }

  detached(): void {
    this.#attached = null;
  }

  paneViews() {
    return this.#views;
  }

  /** One mark for each item of the chart. */
  show(marks: readonly (Mark | null)[]): void {
    this.#marks = marks;
    this.#attached?.requestUpdate();
  }

  paint(colours: { warning: string; calm: string }): void {
    this.#colours = colours;
    this.#attached?.requestUpdate();
  }

  #draw(target: Target): void {
    const scale = this.#attached?.chart.timeScale();
    const range = scale?.getVisibleLogicalRange();
    if (scale === undefined || !range) return;
    const first = Math.max(0, Math.floor(range.from));
    const last = Math.min(this.#marks.length - 1, Math.ceil(range.to));
    const width = Math.max(1, Math.min(MOST_WIDTH, scale.options().barSpacing));
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      for (let index = first; index <= last; index += 1) {
        const mark = this.#marks[index];
        const x = mark ? scale.logicalToCoordinate(index as Logical) : null;
        if (mark && x !== null) this.#one(context, mark, x - width / 2, width, mediaSize.height);
      }
    });
  }

  #one(context: CanvasRenderingContext2D, mark: Mark, x: number, width: number, height: number) {
    const top = height - STRIP_HEIGHT;
    if (mark === "repaired") {
      context.fillStyle = this.#colours.calm;
      context.beginPath();
      context.arc(x + width / 2, top + STRIP_HEIGHT / 2, 1.5, 0, 2 * Math.PI);
      context.fill();
      return;
    }
    context.save();
    context.fillStyle = this.#colours.warning;
    context.globalAlpha = mark === "gap" ? 0.16 : 0.07;
    context.fillRect(x, 0, width, height);
    context.globalAlpha = 1;
    hatch(context, this.#colours.warning, { x, top, width });
    context.restore();
  }
}

function hatch(
  context: CanvasRenderingContext2D,
  colour: string,
  { x, top, width }: { x: number; top: number; width: number },
): void {
  context.beginPath();
  context.rect(x, top, width, STRIP_HEIGHT);
  context.clip();
  context.strokeStyle = colour;
  context.beginPath();
  for (let at = x - STRIP_HEIGHT; at < x + width; at += HATCH_STEP) {
    context.moveTo(at, top + STRIP_HEIGHT);
    context.lineTo(at + STRIP_HEIGHT, top);
  }
  context.stroke();
}
