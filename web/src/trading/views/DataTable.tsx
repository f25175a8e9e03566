/** A table as a grid with one tab stop: arrows move, and keys act on the selected row. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { type Action, actionOf, type Place } from "../../ui/keys.ts";
import { TRADING_TABLE } from "../../ui/places.ts";
import "./table.css";

export interface Column<Row> {
  readonly title: string;
  readonly class?: string;
  readonly cell: (row: Row) => ComponentChildren;
}

interface DataTableProps<Row> {
  readonly label: string;
  readonly place: Place;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly idOf: (row: Row) => string;
  readonly onAction: (action: Action, row: Row) => void;
  /** Text of a table without rows. */
  readonly empty: string;
}

const FAR = 1_000_000;
const STEPS: Partial<Record<Action, number>> = { down: 1, up: -1, first: -FAR, last: FAR };
const rowId = (id: string): string => `${TRADING_TABLE}-${encodeURIComponent(id)}`;

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, place, columns, rows, idOf, onAction, empty } = props;
  const selected = useSignal<string | null>(null);
  if (rows.length === 0) return <p class="muted empty">{empty}</p>;

  const at = rows.findIndex((row) => idOf(row) === selected.value);
  const select = (index: number) => {
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    if (row === undefined) return;
    selected.value = idOf(row);
    document.getElementById(rowId(idOf(row)))?.scrollIntoView({ block: "nearest" });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const action = actionOf("table", event) ?? actionOf(place, event);
    if (action === null || event.target !== event.currentTarget) return;
    event.preventDefault();
    const steps = STEPS[action];
    const row = rows[at];
    if (steps !== undefined) select(at + steps);
    else if (row !== undefined) onAction(action, row);
  };
  const active = rows[at];
  return (
    <div class="scroll">
      <table
        id={TRADING_TABLE}
        class="data"
        role="grid"
        aria-label={label}
        tabIndex={0}
        aria-activedescendant={active === undefined ? undefined : rowId(idOf(active))}
        onKeyDown={onKeyDown}
        onFocus={() => at < 0 && select(0)}
      >
        <thead>
          <tr>
            {columns.map(({ title, class: name }) => (
              <th key={title} scope="col" class={name}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const id = idOf(row);
            return (
              <tr
                key={id}
                id={rowId(id)}
                aria-selected={id === selected.value}
                onClick={() => {
                  selected.value = id;
                }}
              >
                {columns.map(({ title, class: name, cell }) => (
                  <td key={title} class={name} data-title={title}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
