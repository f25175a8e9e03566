/** The stored events of an order, as lines for people. New kinds are named as they come. Pure. */
import { exactPrice } from "../amount.ts";
import type { OrderDetail } from "../messages.ts";

type Stored = OrderDetail["events"][number];

const KINDS: Readonly<Record<string, string>> = {
  intended: "Accepted by the checks",
  sending: "Sent",
  accepted: "Received by the broker",
  refused: "Refused by the broker",
  answer_lost: "No answer: not known yet",
  reported: "News of the broker",
  filled: "Filled",
  command_sending: "Command sent",
  command_answered: "Command answered",
  command_lost: "No answer to the command: not known yet",
  command_settled: "Effect of the command known",
};

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function details(event: Stored): string {
  if (event["type"] === "filled") {
    const price = event["price"];
    const known = typeof price === "string" || typeof price === "number" ? exactPrice(price) : "–";
    return `${text(event["quantity"])} at ${known}`;
  }
  if (event["type"] === "command_sending") {
    return event["prices"] === null ? "cancellation" : "change";
  }
  const report = event["report"];
  const inner = typeof report === "object" && report !== null ? (report as Stored) : event;
  return [inner["state"], inner["code"], inner["detail"]].map(text).filter(Boolean).join(" ");
}

export interface EventLine {
  readonly atMs: number | null;
  readonly text: string;
}

export function eventLines(events: readonly Stored[]): readonly EventLine[] {
  return events.map((event) => {
    const kind = text(event["type"]);
    const more = details(event);
    const name = KINDS[kind] ?? kind;
    const at = event["at_ms"];
    return { atMs: typeof at === "number" ? at : null, text: more ? `${name}: ${more}` : name };
  });
}
