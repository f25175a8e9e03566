/** The drawn chart: the only module that uses the chart library. */
import {
  CandlestickSeries,
  ColorType,
  CrosshairMode,
  createChart,
  HistogramSeries,
  type IPriceLine,
  LineStyle,
  type Logical,
  type UTCTimestamp,
} from "lightweight-charts";
import type { Colours } from "../../ui/colours.ts";
import { price, timeOfDay } from "../../ui/format.ts";
import { IST_OFFSET_MS } from "../../ui/ist.ts";
import { lineText, type PriceLine } from "../lines.ts";
import { type Bar, type Item, isBar } from "./bars.ts";
import { MarkLayer } from "./mark_layer.ts";
import type { Mark } from "./trust.ts";

export interface CanvasEvents {
  /** The first shown bar is near: earlier ones are wanted. */
  readonly onStartNear: () => void;
  /** The item below the pointer; `null` if there is none. */
  readonly onPoint: (index: number | null) => void;
}

/** Lines besides those of trading. */
export interface Levels {
  readonly previousClose: number | null;
  readonly lowerCircuit: number | null;
  readonly upperCircuit: number | null;
}

const NEAR_BARS = 30;
const BAR_SPACING = 7;
const ROOM_BARS = 6;

/** The library supports no time zones, and India has no daylight saving time. */
const timeOf = (unixMs: number) => ((unixMs + IST_OFFSET_MS) / 1000) as UTCTimestamp;
const unixMsOf = (time: UTCTimestamp): number => time * 1000 - IST_OFFSET_MS;

export class ChartCanvas {
  readonly #chart;
  readonly #candles;
  readonly #volumes;
  readonly #marks = new MarkLayer();
  #colours: Colours;
  #items: readonly Item[] = [];
  #lines: IPriceLine[] = [];
  #levels: IPriceLine[] = [];
  #isFirst = true;

  constructor(element: HTMLElement, colours: Colours, isDaily: boolean, events: CanvasEvents) {
    this.#colours = colours;
    this.#chart = createChart(element, {
      autoSize: true,
      // With the logo the library writes a style sheet into the page, which the policy forbids.
      layout: { attributionLogo: false, fontFamily: "system-ui, sans-serif", fontSize: 12 },
      crosshair: { mode: CrosshairMode.Normal },
      localization: {
        locale: "en-IN",
        priceFormatter: (value: number) => price(value),
        timeFormatter: (time: UTCTimestamp) => timeOfDay(unixMsOf(time)).slice(0, 5),
        ...(isDaily ? { timeFormatter: dateOf } : {}),
      },
      timeScale: { timeVisible: !isDaily, secondsVisible: false, rightOffset: ROOM_BARS },
    });
    this.#candles = this.#chart.addSeries(CandlestickSeries, { priceLineStyle: LineStyle.Dotted });
    this.#candles.priceScale().applyOptions({ scaleMargins: { top: 0.06, bottom: 0.24 } });
    this.#volumes = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.#volumes.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0.02 } });
    this.#candles.attachPrimitive(this.#marks);
    this.#chart.subscribeCrosshairMove(({ logical }) => {
      events.onPoint(logical === undefined ? null : logical);
    });
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range !== null && !this.#isFirst && range.from < NEAR_BARS) events.onStartNear();
    });
    this.paint(colours);
  }

  show(items: readonly Item[], marks: readonly (Mark | null)[]): void {
    this.#items = items;
    this.#candles.setData(items.map((item) => this.#candle(item)));
    this.#volumes.setData(items.map((item) => this.#volume(item)));
    this.#marks.show(marks);
    if (!this.#isFirst || items.length === 0) return;
    this.#isFirst = false;
    this.newest();
  }

  /** Only the last item has changed. */
  update(items: readonly Item[]): void {
    this.#items = items;
    const last = items.at(-1);
    if (last === undefined) return;
    this.#candles.update(this.#candle(last));
    this.#volumes.update(this.#volume(last));
  }

  newest(): void {
    this.#chart.timeScale().applyOptions({ barSpacing: BAR_SPACING });
    this.#chart.timeScale().scrollToPosition(ROOM_BARS, false);
  }

  /** Put the crosshair on an item, and bring it into view. */
  point(index: number | null): void {
    const item = index === null ? undefined : this.#items[index];
    if (index === null || item === undefined) {
      this.#chart.clearCrosshairPosition();
      return;
    }
    const scale = this.#chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (range !== null && (index < range.from || index > range.to)) {
      const half = (range.to - range.from) / 2;
      scale.setVisibleLogicalRange({
        from: (index - half) as Logical,
        to: (index + half) as Logical,
      });
    }
    const at = isBar(item) ? item.close : 0;
    this.#chart.setCrosshairPosition(at, timeOf(item.start), this.#candles);
  }

  /** More bars in the same space, or fewer. */
  zoom(factor: number): void {
    const scale = this.#chart.timeScale();
    scale.applyOptions({ barSpacing: scale.options().barSpacing * factor });
  }

  lines(lines: readonly PriceLine[]): void {
    for (const line of this.#lines) this.#candles.removePriceLine(line);
    this.#lines = lines.map((line) =>
      this.#candles.createPriceLine({
        price: line.price,
        title: lineText(line),
        color: line.side === "BUY" ? this.#colours.buy : this.#colours.sell,
        lineWidth: 1,
        lineStyle: line.kind === "position" ? LineStyle.Solid : LineStyle.Dashed,
      }),
    );
  }

  levels({ previousClose, lowerCircuit, upperCircuit }: Levels): void {
    for (const line of this.#levels) this.#candles.removePriceLine(line);
    const { muted, stale } = this.#colours;
    const all = [
      { price: previousClose, title: "previous close", color: muted },
      { price: lowerCircuit, title: "lower circuit", color: stale },
      { price: upperCircuit, title: "upper circuit", color: stale },
    ];
    this.#levels = all.flatMap(({ price: at, title, color }) =>
      at === null
        ? []
        : this.#candles.createPriceLine({
            ...{ price: at, title, color, lineWidth: 1, lineStyle: LineStyle.SparseDotted },
            axisLabelVisible: false,
          }),
    );
  }

  /** Take other colours. Lines and levels are to be set again. */
  paint(colours: Colours): void {
    this.#colours = colours;
    const { page, muted, line, up, down, text, stale, accent } = colours;
    this.#chart.applyOptions({
      layout: { background: { type: ColorType.Solid, color: page }, textColor: muted },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      crosshair: {
        vertLine: { color: muted, labelBackgroundColor: accent },
        horzLine: { color: muted, labelBackgroundColor: accent },
      },
      timeScale: { borderColor: line },
      rightPriceScale: { borderColor: line },
    });
    this.#candles.applyOptions({
      ...{ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down },
      ...{ borderUpColor: up, borderDownColor: down, priceLineColor: text },
    });
    this.#marks.paint({ warning: stale, calm: muted });
    const items = this.#items;
    this.#candles.setData(items.map((item) => this.#candle(item)));
    this.#volumes.setData(items.map((item) => this.#volume(item)));
  }

  remove(): void {
    this.#chart.remove();
  }

  /** A bar that is not over is hollow: its values will change. */
  #candle(item: Item) {
    const time = timeOf(item.start);
    if (!isBar(item)) return { time };
    const { open, high, low, close } = item;
    const hollow = item.state === "forming" ? { color: this.#colours.page } : {};
    return { time, open, high, low, close, ...hollow };
  }

  #volume(item: Item) {
    const time = timeOf(item.start);
    if (!isBar(item) || item.volume === null) return { time };
    return {
      time,
      value: item.volume,
      color: faint(isUp(item) ? this.#colours.up : this.#colours.down),
    };
  }
}

const isUp = ({ open, close }: Bar): boolean => close >= open;

/** A colour of the browser, `rgb(1, 2, 3)`, at a third of its strength. */
const faint = (colour: string): string => colour.replace("rgb(", "rgba(").replace(")", ", 0.35)");

function dateOf(time: UTCTimestamp): string {
  return new Date(time * 1000).toUTCString().slice(5, 16);
}
