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
  command_lost: "No answer: whether it has an effect is not known yet",
  command_settled: "Its effect is known",
  expired: "Its day is over: nothing more can be filled",
};

/** By their number in the event. */
const BROKER_STATES = ["", "received", "open", "complete", "cancelled", "expired", "rejected"];

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function details(event: Stored): string {
  if (event["type"] === "filled") {
    const price = text(event["price"]) || null;
    return `${text(event["quantity"])} at ${exactPrice(price)}`;
  }
  const report = event["report"];
  const inner = typeof report === "object" && report !== null ? (report as Stored) : event;
  const state = BROKER_STATES[Number(inner["state"])];
  return [state, inner["code"], inner["detail"]].map(text).filter(Boolean).join(", ");
}

function kindText(event: Stored): string {
  const kind = text(event["type"]);
  if (kind === "command_sending") {
    return event["prices"] === null ? "Cancellation sent" : "Change sent";
  }
  if (kind === "command_answered") {
    return event["code"] ? "Refused by the broker" : "Received by the broker";
  }
  return KINDS[kind] ?? kind;
}

export interface EventLine {
  readonly atMs: number | null;
  readonly text: string;
}

export function eventLines(events: readonly Stored[]): readonly EventLine[] {
  return events.map((event) => {
    const more = details(event);
    const name = kindText(event);
    const at = event["at_ms"];
    return { atMs: typeof at === "number" ? at : null, text: more ? `${name}: ${more}` : name };
  });
}
