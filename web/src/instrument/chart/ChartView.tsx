/** The chart of an instrument: bars, their figures below the pointer, and what is missing. */
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { sentence } from "../../api/problems.ts";
import type { Desk } from "../../desk/desk.ts";
import { coloursOf, onTheme } from "../../ui/colours.ts";
import { dateTime } from "../../ui/format.ts";
import type { Instrument } from "../instrument.ts";
import { lineText } from "../lines.ts";
import { BarTable } from "./BarTable.tsx";
import { ChartCanvas, type Levels } from "./canvas.ts";
import type { Chart } from "./chart.ts";
import type { ChartControl } from "./control.ts";
import { legendOf } from "./legend.ts";
import { marksOf } from "./trust.ts";

interface ChartViewProps {
  readonly desk: Desk;
  readonly instrument: Instrument;
  readonly chart: Chart;
  readonly control: ChartControl;
  readonly symbol: string;
}

export function ChartView({ desk, instrument, chart, control, symbol }: ChartViewProps) {
  const element = useRef<HTMLDivElement>(null);
  const { history, interval } = chart;
  const { items, pointed, isTable } = control;
  const lines = useMemo(() => desk.lines.of(instrument.key), [desk, instrument]);
  const levels = useComputed((): Levels => {
    const detail = instrument.detail.value;
    const reference = detail.kind === "known" ? detail.detail.reference : null;
    return {
      previousClose: reference?.previous_close ?? null,
      lowerCircuit: reference?.lower_circuit ?? null,
      upperCircuit: reference?.upper_circuit ?? null,
    };
  });
  const canvas = useSignal<ChartCanvas | null>(null);
  const themes = useSignal(0);

  useEffect(
    () =>
      onTheme(() => {
        themes.value += 1;
      }),
    [],
  );
  useEffect(() => {
    if (element.current === null) return;
    const own = new ChartCanvas(element.current, coloursOf(element.current), interval === "1d", {
      onStartNear: () => void history.earlier(),
      onPoint: (index) => {
        pointed.value = index;
      },
    });
    canvas.value = own;
    control.drawn = own;
    const paint = () => {
      const shown = chart.takeShown();
      if (shown === null) return;
      if (shown.isOnlyLast) own.update(shown.items);
      else own.show(shown.items, marksOf(shown.items, history.gaps.peek(), interval));
      items.value = [...shown.items];
    };
    const stop = desk.painter.watch(instrument.key, paint);
    const stopHistory = history.bars.subscribe(paint);
    return () => {
      stop();
      stopHistory();
      canvas.value = null;
      control.drawn = null;
      own.remove();
    };
  }, [desk, chart]);
  useSignalEffect(() => {
    themes.value;
    const own = canvas.value;
    if (own === null || element.current === null) return;
    own.paint(coloursOf(element.current));
    own.lines(lines.value);
    own.levels(levels.value);
  });

  const legend = useComputed(() => {
    const all = items.value;
    const item = all[pointed.value ?? all.length - 1] ?? all.at(-1);
    return item === undefined ? "" : legendOf(item, history.gaps.value, interval);
  });
  const label = useComputed(() => {
    const first = items.value[0];
    const since = first === undefined ? "" : ` since ${dateTime(first.start)}`;
    const own = lines.value.map((line) => ` ${lineText(line)} at ${line.price}.`).join("");
    return `Candles of ${symbol}, ${interval}${since}.${own} The key t shows them as a table.`;
  });
  return (
    <div class="chart">
      <p class="legend" id="legend">
        {legend}
      </p>
      <div class="canvas" hidden={isTable} ref={element} role="img" aria-label={label} />
      {isTable.value && (
        <BarTable items={items.value} gaps={history.gaps.value} interval={interval} />
      )}
      <HistoryNote chart={chart} />
    </div>
  );
}

function HistoryNote({ chart }: { chart: Chart }) {
  const { history } = chart;
  const state = history.state.value;
  const missing = history.missingToMs.value;
  const isEmpty = history.bars.value.length === 0;
  return (
    <p class="note muted" role="status">
      {state.kind === "loading" && (isEmpty ? "Loading bars …" : "Loading earlier bars …")}
      {state.kind === "failed" && `${sentence(state.error)} `}
      {state.kind === "failed" && (
        <button type="button" onClick={() => void history.again()}>
          Load again
        </button>
      )}
      {state.kind === "whole" && isEmpty && "There are no bars of this instrument yet."}
      {state.kind === "full" && "The chart is full: choose a longer interval for earlier bars. "}
      {missing !== null && `Bars before ${dateTime(missing)} are missing: Upstox does not answer. `}
    </p>
  );
}
