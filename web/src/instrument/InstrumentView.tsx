/** One instrument: its price, chart, order book, trades and figures. */
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { sentence } from "../api/problems.ts";
import type { Desk } from "../desk/desk.ts";
import { type Action, actionOf } from "../ui/keys.ts";
import { INSTRUMENT } from "../ui/places.ts";
import { SideButtons } from "../ui/SideButtons.tsx";
import { ChartView } from "./chart/ChartView.tsx";
import { ChartControl } from "./chart/control.ts";
import { INTERVALS, type Interval, intervalOf } from "./chart/intervals.ts";
import type { DetailState } from "./instrument.ts";
import { PriceHead } from "./PriceHead.tsx";
import { SidePanel } from "./SidePanel.tsx";
import "./instrument.css";

interface InstrumentViewProps {
  readonly desk: Desk;
  readonly instrumentKey: string;
  /** As the address has it. */
  readonly intervalName: string | null;
  readonly onInterval: (interval: Interval) => void;
  readonly onLeave: () => void;
}

export function InstrumentView(props: InstrumentViewProps) {
  const { desk, instrumentKey } = props;
  const interval = intervalOf(props.intervalName);
  const section = useRef<HTMLElement>(null);
  const control = useMemo(() => new ChartControl(), [instrumentKey]);
  const instrument = useMemo(() => desk.instrument(instrumentKey, interval), [desk, instrumentKey]);
  /** Rises when a price or its age has changed. */
  const revision = useSignal(0);

  useEffect(() => {
    instrument.open();
    const stop = desk.painter.watch(instrumentKey, () => {
      revision.value += 1;
    });
    section.current?.focus();
    return () => {
      stop();
      instrument.close();
    };
  }, [instrument]);
  useEffect(() => instrument.choose(interval), [instrument, interval]);

  const age = useComputed(() => {
    revision.value;
    return desk.market.freshnessOf(instrumentKey).kind;
  });
  const detail = instrument.detail.value;
  const known = detail.kind === "known" ? detail.detail.instrument : null;
  const symbol = known?.symbol ?? instrumentKey.split("|").at(-1) ?? instrumentKey;
  useEffect(() => titled(symbol), [symbol]);

  const openTicket = (side: "BUY" | "SELL") => void desk.trading.tickets.open(instrumentKey, side);
  const onKeyDown = (event: KeyboardEvent) => {
    const action = actionOf("instrument", event);
    if (action === null) return;
    event.preventDefault();
    const chosen = INTERVALS.find((one) => action === `interval_${one}`);
    if (chosen !== undefined) props.onInterval(chosen);
    else if (action === "leave") props.onLeave();
    else if (action === "buy") openTicket("BUY");
    else if (action === "sell") openTicket("SELL");
    else act(control, action);
  };
  return (
    <section
      id={INSTRUMENT}
      class="instrument"
      aria-label={`Instrument ${symbol}`}
      data-age={age}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it has keys of its own
      tabIndex={0}
      ref={section}
      onKeyDown={onKeyDown}
    >
      <PriceHead
        revision={revision}
        desk={desk}
        instrumentKey={instrumentKey}
        symbol={symbol}
        name={known?.name ?? ""}
        onLeave={props.onLeave}
      >
        <SideButtons
          instrumentKey={instrumentKey}
          symbol={symbol}
          tabIndex={0}
          onSide={openTicket}
        />
      </PriceHead>
      <div class="intervals" role="toolbar" aria-label="Interval">
        {INTERVALS.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={one === interval}
            onClick={() => props.onInterval(one)}
          >
            {one}
          </button>
        ))}
        <button
          type="button"
          aria-pressed={control.isTable}
          onClick={() => {
            control.isTable.value = !control.isTable.peek();
          }}
        >
          Table
        </button>
      </div>
      <DetailTrouble state={detail} onAgain={() => void instrument.readDetail()} />
      <ChartView
        key={`${instrumentKey} ${instrument.chart.value.interval}`}
        desk={desk}
        instrument={instrument}
        chart={instrument.chart.value}
        control={control}
        symbol={symbol}
      />
      <SidePanel revision={revision} desk={desk} instrument={instrument} />
    </section>
  );
}

/** Several windows are told apart by their titles. */
function titled(symbol: string): () => void {
  const before = document.title;
  document.title = `${symbol} · ${before}`;
  return () => {
    document.title = before;
  };
}

function act(control: ChartControl, action: Action): void {
  if (action === "next_bar") control.step(1);
  else if (action === "previous_bar") control.step(-1);
  else if (action === "newest_bar") control.newest();
  else if (action === "zoom_in") control.zoomIn();
  else if (action === "zoom_out") control.zoomOut();
  else if (action === "table") control.isTable.value = !control.isTable.peek();
}

function DetailTrouble({ state, onAgain }: { state: DetailState; onAgain: () => void }) {
  if (state.kind !== "failed") return null;
  return (
    <p class="trouble" role="alert">
      {sentence(state.error)}{" "}
      <button type="button" onClick={onAgain}>
        Try again
      </button>
    </p>
  );
}
