/** The server's preview of the order: value, margin and charges. */
import { sentence } from "../../api/problems.ts";
import { rupees } from "../amount.ts";
import type { Preview } from "../messages.ts";
import type { Ticket } from "./ticket.ts";

type Line = readonly [string, string | null | undefined];

function lines({ value, margin, available }: Preview): readonly Line[] {
  return [
    ["Value", value],
    ["Margin, estimated", margin],
    ["Available", available],
  ];
}

function chargeLines({ charges }: Preview): readonly Line[] {
  if (!charges) return [];
  return [
    ["Brokerage", charges.brokerage],
    ["STT or CTT", charges.transaction_tax],
    ["Exchange", charges.exchange],
    ["Investor protection", charges.investor_protection],
    ["SEBI", charges.sebi],
    ["Stamp duty", charges.stamp],
    ["DP", charges.dp],
    ["GST", charges.gst],
  ];
}

function Lines({ of }: { of: readonly Line[] }) {
  return (
    <>
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{rupees(value)}</dd>
        </div>
      ))}
    </>
  );
}

export function PreviewView({ ticket }: { ticket: Ticket }) {
  const state = ticket.previewing.state.value;
  return (
    <section class="preview" aria-label="Preview" data-state={state.kind}>
      {state.kind === "none" && <p class="muted">Fill in the fields for margin and charges.</p>}
      {state.kind === "asking" && <p class="muted">Computing margin and charges …</p>}
      {state.kind === "failed" && (
        <p class="trouble">There is no preview: {sentence(state.error)}</p>
      )}
      {state.kind === "shown" && (
        <>
          <dl>
            <Lines of={lines(state.preview)} />
          </dl>
          <details>
            <summary>Charges {rupees(state.preview.charges?.total)}</summary>
            <dl>
              <Lines of={chargeLines(state.preview)} />
            </dl>
          </details>
          <p class={state.preview.passed ? "muted" : "trouble"}>
            {state.preview.passed
              ? "All checks are passed."
              : "The order would be refused, for the reasons shown."}
          </p>
        </>
      )}
    </section>
  );
}
