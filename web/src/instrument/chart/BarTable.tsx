/** The newest bars as a table, for those to whom a drawing says nothing. */
import { compact, dateTime, price } from "../../ui/format.ts";
import { type Gap, type Item, isBar } from "./bars.ts";
import type { Interval } from "./intervals.ts";
import { trustText } from "./trust.ts";

const MOST_ROWS = 100;

interface BarTableProps {
  readonly items: readonly Item[];
  readonly gaps: readonly Gap[];
  readonly interval: Interval;
}

export function BarTable({ items, gaps, interval }: BarTableProps) {
  const newest = items.slice(-MOST_ROWS).reverse();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: keys scroll it
    <section class="scroll" aria-label="Bars" tabIndex={0}>
      <table class="figures bars">
        <thead>
          <tr>
            {["Time", "Open", "High", "Low", "Close", "Volume", "State"].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {newest.map((item) => (
            <tr key={item.start}>
              <th scope="row">{dateTime(item.start)}</th>
              {isBar(item) ? (
                <>
                  <td>{price(item.open)}</td>
                  <td>{price(item.high)}</td>
                  <td>{price(item.low)}</td>
                  <td>{price(item.close)}</td>
                  <td>{compact(item.volume)}</td>
                </>
              ) : (
                <td colSpan={5} />
              )}
              <td class="state">{trustText(item, gaps, interval)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
