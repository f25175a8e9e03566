/** The watchlist as a grid with one tab stop: arrows move, and each cell repaints by itself. */
import { useComputed, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { Desk } from "../desk/desk.ts";
import { type Action, actionOf } from "../ui/keys.ts";
import { GRID } from "../ui/places.ts";
import { addressOf, type Route } from "../ui/route.ts";
import { SideButtons } from "../ui/SideButtons.tsx";
import { ListBar } from "./ListBar.tsx";
import { COLUMNS, type Column, Row } from "./row.ts";
import { SearchBox } from "./SearchBox.tsx";
import "./lists.css";
import "./watchlist.css";

const PAGE = 10;
const FAR = 1_000_000;
const TITLES: Readonly<Record<Column, string>> = {
  ltp: "LTP",
  change: "Change",
  percent: "Change %",
  volume: "Volume",
  ltq: "LTQ",
  bid: "Bid",
  ask: "Ask",
  range: "Day range",
  time: "Last trade",
};
const STEPS: Partial<Record<Action, number>> = {
  down: 1,
  up: -1,
  page_down: PAGE,
  page_up: -PAGE,
  first: -FAR,
  last: FAR,
};

/** An id has no space, and a key may. */
const rowId = (key: string): string => `row-${encodeURIComponent(key)}`;

function act({ watchlist, trading }: Desk, action: Action): void {
  const steps = STEPS[action];
  const selected = watchlist.selected.peek();
  if (steps !== undefined) watchlist.step(steps);
  else if (action === "previous_list") watchlist.stepList(-1);
  else if (action === "next_list") watchlist.stepList(1);
  else if (selected === null) return;
  else if (action === "remove") watchlist.remove(selected);
  else if (action === "move_down") watchlist.move(selected, 1);
  else if (action === "move_up") watchlist.move(selected, -1);
  else if (action === "buy") void trading.tickets.open(selected, "BUY");
  else if (action === "sell") void trading.tickets.open(selected, "SELL");
}

interface WatchlistViewProps {
  readonly desk: Desk;
  readonly onOpen: (key: string, isNewWindow: boolean) => void;
}

export function WatchlistView({ desk, onOpen }: WatchlistViewProps) {
  const { watchlist } = desk;
  const selectedId = useComputed(() => {
    const selected = watchlist.selected.value;
    return selected !== null && watchlist.keys.value.includes(selected)
      ? rowId(selected)
      : undefined;
  });
  useSignalEffect(() => {
    const id = selectedId.value;
    if (id !== undefined) document.getElementById(id)?.scrollIntoView({ block: "nearest" });
  });

  const onKeyDown = (event: KeyboardEvent) => {
    const action = actionOf("list", event);
    if (action === null) return;
    event.preventDefault();
    const selected = watchlist.selected.peek();
    const isOpening = action === "open" || action === "open_window";
    if (action === "nth_list") watchlist.showNth(Number(event.key));
    else if (!isOpening) act(desk, action);
    else if (selected !== null) onOpen(selected, action === "open_window");
  };
  return (
    <section class="watchlist" aria-label="Watchlist">
      <ListBar watchlist={watchlist} />
      <SearchBox desk={desk} />
      <div class="scroll">
        <table
          id={GRID}
          role="grid"
          aria-label="Watchlist"
          tabIndex={0}
          aria-activedescendant={selectedId}
          onKeyDown={onKeyDown}
          onFocus={() => watchlist.selected.peek() === null && watchlist.step(0)}
        >
          <thead>
            <tr>
              <th scope="col">Instrument</th>
              {COLUMNS.map((column) => (
                <th key={column} scope="col" class={column}>
                  {TITLES[column]}
                </th>
              ))}
              <th scope="col" class="tools">
                <span class="unseen">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {watchlist.keys.value.map((key) => (
              <RowView key={key} desk={desk} instrument={key} onOpen={() => onOpen(key, false)} />
            ))}
          </tbody>
        </table>
        {watchlist.keys.value.length === 0 && (
          <p class="muted">The list is empty. Press / and search an instrument to add.</p>
        )}
      </div>
    </section>
  );
}

interface RowViewProps {
  readonly desk: Desk;
  readonly instrument: string;
  readonly onOpen: () => void;
}

function RowView({ desk, instrument, onOpen }: RowViewProps) {
  const { watchlist, market, subscriptions, painter, clock, trading } = desk;
  const row = useMemo(() => new Row(1_000 + 1_000 * Math.random()), []);
  useEffect(() => {
    const paint = () => {
      const outcome = subscriptions.outcome("quotes", instrument);
      const freshness = market.freshnessOf(instrument);
      row.paint(market.quotes.get(instrument), freshness, outcome, clock.now());
    };
    const observer = new IntersectionObserver((changes) => {
      row.isInView = changes.at(-1)?.isIntersecting === true;
      paint();
    });
    observer.observe(document.getElementById(rowId(instrument)) as Element);
    const unwatch = painter.watch(instrument, paint);
    return () => {
      observer.disconnect();
      unwatch();
    };
  }, [desk, instrument]);
  const isSelected = useComputed(() => watchlist.selected.value === instrument);
  const name = watchlist.names.value.get(instrument);
  const symbol = name?.symbol ?? instrument.split("|").at(-1);
  const opened: Route = { view: "instrument", key: instrument, interval: null };
  const onLink = (event: MouseEvent) => {
    // The browser opens a new tab or window.
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    onOpen();
  };
  const classes: Partial<Record<Column, typeof row.tone | typeof row.flash>> = {
    ltp: row.flash,
    change: row.tone,
    percent: row.percentTone,
  };
  return (
    <tr
      id={rowId(instrument)}
      data-age={row.age}
      aria-selected={isSelected}
      onClick={() => watchlist.select(instrument)}
      onDblClick={onOpen}
    >
      <th scope="row" title={name && `${symbol} · ${name.name}`}>
        <a href={addressOf(opened)} tabIndex={-1} onClick={onLink}>
          {symbol}
        </a>{" "}
        <small class="muted">{instrument.split("|")[0]}</small>
      </th>
      {COLUMNS.map((column) => (
        <td key={column} class={column}>
          <span class={classes[column]}>{row.cells[column]}</span>
        </td>
      ))}
      <td class="tools">
        <SideButtons
          instrumentKey={instrument}
          symbol={symbol}
          tabIndex={-1}
          onSide={(side) => void trading.tickets.open(instrument, side)}
        />
        <button
          type="button"
          class="remove"
          tabIndex={-1}
          onClick={() => watchlist.remove(instrument)}
        >
          <span aria-hidden="true">×</span>
          <span class="unseen">Remove {symbol}</span>
        </button>
      </td>
    </tr>
  );
}
