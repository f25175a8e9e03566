/** The best five levels of the order book on both sides. */
import type { Depth } from "../stream/protocol.ts";
import { price, quantity } from "../ui/format.ts";

const LEVELS = [0, 1, 2, 3, 4];

type Level = Depth["bids"][number] | undefined;

export function DepthTable({ book }: { book: Depth | undefined }) {
  const bids = book?.bids.slice(0, LEVELS.length) ?? [];
  const asks = book?.asks.slice(0, LEVELS.length) ?? [];
  const most = Math.max(1, ...[...bids, ...asks].map(([, size]) => size));
  const share = (level: Level) => `${level === undefined ? 0 : (level[1] / most) * 100}%`;
  return (
    <table class="depth figures" aria-label="Depth">
      <thead>
        <tr>
          <th scope="col">Quantity</th>
          <th scope="col" class="buy">
            Bid
          </th>
          <th scope="col" class="sell">
            Ask
          </th>
          <th scope="col">Quantity</th>
        </tr>
      </thead>
      <tbody>
        {LEVELS.map((level) => (
          <tr key={level}>
            <td class="size bid" style={{ "--share": share(bids[level]) }}>
              {quantity(bids[level]?.[1])}
            </td>
            <td class="buy">{price(bids[level]?.[0])}</td>
            <td class="sell">{price(asks[level]?.[0])}</td>
            <td class="size ask" style={{ "--share": share(asks[level]) }}>
              {quantity(asks[level]?.[1])}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
