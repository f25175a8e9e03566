/** Cells that several tables have: the instrument, the side, a live price, and small buttons. */
import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Desk } from "../../desk/desk.ts";
import { price, timeOfDay } from "../../ui/format.ts";
import type { Side } from "../messages.ts";

export function InstrumentCell({ desk, instrument }: { desk: Desk; instrument: string }) {
  const { instruments } = desk.trading;
  return (
    <>
      <b>{instruments.symbolOf(instrument)}</b>{" "}
      <small class="muted">{instrument.split("|")[0]}</small>
    </>
  );
}

/** A side has its word as well as its colour. */
export function SideWord({ side }: { side: Side }) {
  return <b class={side === "BUY" ? "buy" : "sell"}>{side}</b>;
}

/** The newest price of the stream, and since when it may be wrong. */
export function LivePrice({ desk, instrument }: { desk: Desk; instrument: string }) {
  const text = useSignal("–");
  const age = useSignal<string>("unknown");
  const since = useSignal("");
  useEffect(
    () =>
      desk.painter.watch(instrument, () => {
        const freshness = desk.market.freshnessOf(instrument);
        text.value = price(desk.market.quotes.get(instrument)?.quote.ltp);
        age.value = freshness.kind;
        since.value =
          freshness.kind === "stale" ? `stale since ${timeOfDay(freshness.sinceMs)}` : "";
      }),
    [desk, instrument],
  );
  const title = useComputed(() => since.value || undefined);
  return (
    <span class="live" data-age={age} title={title}>
      {text}
      <small>{since}</small>
    </span>
  );
}

/** The keys of the table do the same: a button is for the mouse, and no tab stop. */
export function RowButton({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <button type="button" tabIndex={-1} onClick={onClick}>
      {label}
    </button>
  );
}
