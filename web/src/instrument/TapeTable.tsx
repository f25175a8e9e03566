/** The tape: the newest trades, and how much was traded between those that the feed told. */
import { price, quantity, timeOfDay } from "../ui/format.ts";
import type { Print } from "./tape.ts";

const SHOWN = 30;
const TURNS = { "1": ["up", "▲"], "-1": ["down", "▼"], "0": ["", ""] } as const;

export function TapeTable({ prints }: { prints: readonly Print[] }) {
  return (
    <table class="tape figures" aria-label="Trades">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Price</th>
          <th scope="col">Quantity</th>
          <th scope="col">
            <abbr title="Traded since the line before, in trades that the feed did not tell singly">
              Unseen
            </abbr>
          </th>
        </tr>
      </thead>
      <tbody>
        {prints.slice(0, SHOWN).map(({ id, atMs, price: at, quantity: size, turn, unseen }) => {
          const [tone, arrow] = TURNS[`${turn}`];
          return (
            <tr key={id}>
              <td>{timeOfDay(atMs)}</td>
              <td class={tone}>
                {arrow} {price(at)}
              </td>
              <td>{quantity(size)}</td>
              <td class="muted">{unseen > 0 ? `+${quantity(unseen)}` : ""}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
