/** Positions of the day with profit and loss at the newest prices. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Desk } from "../../desk/desk.ts";
import { toneOf } from "../../market/price_texts.ts";
import { quantity } from "../../ui/format.ts";
import type { Action } from "../../ui/keys.ts";
import { profitOf } from "../account/profit.ts";
import { exactPrice, profit, rupees } from "../amount.ts";
import type { Position } from "../messages.ts";
import { PRODUCTS } from "../words.ts";
import { InstrumentCell, LivePrice, RowButton } from "./cells.tsx";
import { type Column, DataTable } from "./DataTable.tsx";
import { lotsOf, openFirst } from "./shown.ts";

const idOf = ({ key, product }: Position): string => `${product} ${key}`;

export function PositionsTable({ desk }: { desk: Desk }) {
  const { trading } = desk;
  const account = trading.account.value;
  const { positions, charges } = trading.accounts.book(account).value;
  const act = (action: Action, position: Position) => {
    const { key, product } = position;
    if (action === "exit") {
      if (position.quantity !== 0) trading.questions.exit(position, account);
      else trading.tell("This position is closed already.");
    } else if (action === "buy" || action === "sell") {
      const side = action === "buy" ? "BUY" : "SELL";
      const lots = lotsOf(position, trading.instruments.known.value.get(key));
      void trading.tickets.open(key, side, { product, ...(lots === null ? {} : { lots }) });
    }
  };
  const columns: readonly Column<Position>[] = [
    {
      title: "Instrument",
      cell: ({ key }) => <InstrumentCell desk={desk} instrument={key} />,
    },
    { title: "Product", cell: ({ product }) => PRODUCTS[product] },
    { title: "Quantity", class: "number", cell: (position) => quantity(position.quantity) },
    {
      title: "Average",
      class: "number",
      cell: ({ average_price }) => exactPrice(average_price),
    },
    {
      title: "LTP",
      class: "number",
      cell: ({ key }) => <LivePrice desk={desk} instrument={key} />,
    },
    {
      title: "Realised",
      class: "number",
      cell: ({ realised }) => <span class={toneOf(profit(realised))}>{profit(realised)}</span>,
    },
    {
      title: "Profit and loss",
      class: "number",
      cell: (position) => <LiveProfit desk={desk} position={position} />,
    },
    {
      title: "Actions",
      class: "acts",
      cell: (position) =>
        position.quantity !== 0 ? (
          <RowButton label="Exit …" onClick={() => act("exit", position)} />
        ) : (
          position.settled_price && `Settled at ${exactPrice(position.settled_price)}`
        ),
    },
  ];
  return (
    <>
      <div class="acts-of-all">
        <span class="muted">Charges of the day: {rupees(charges)}</span>
        <button type="button" onClick={() => trading.questions.exitAll(account)}>
          Exit all positions …
        </button>
      </div>
      <DataTable
        label="Positions"
        place="positions"
        columns={columns}
        rows={openFirst(positions)}
        idOf={idOf}
        onAction={act}
        empty="No positions today."
      />
    </>
  );
}

function LiveProfit({ desk, position }: { desk: Desk; position: Position }) {
  const text = useSignal("–");
  const tone = useSignal("");
  const known = desk.trading.instruments.known.value.get(position.key);
  useEffect(
    () =>
      desk.painter.watch(position.key, () => {
        const ltp = desk.market.quotes.get(position.key)?.quote.ltp;
        const multiplier = known === undefined ? null : (known.multiplier ?? 1);
        text.value = profit(profitOf(position, ltp, multiplier));
        const isFresh = desk.market.freshnessOf(position.key).kind !== "stale";
        tone.value = isFresh ? toneOf(text.value) : "muted";
      }),
    [desk, position, known],
  );
  return <span class={tone}>{text}</span>;
}
