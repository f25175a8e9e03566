/** The messages of the stream (docs/stream.md), with types from its AsyncAPI document. Pure. */
import type { components } from "../api/stream.gen.ts";

type Schemas = components["schemas"];
export type Channel = Schemas["Channel"];
export type Outcome = Schemas["Outcome"];
export type Quote = Schemas["Quote"];
export type Depth = Schemas["Depth"];
export type StreamBar = Schemas["Bar"];
export type StreamCandle = Schemas["Candle"];
export type FeedStatus = Schemas["FeedStatus"];

interface Messages {
  authenticated: Schemas["Authenticated"];
  expiring: Schemas["Expiring"];
  ack: Schemas["Ack"];
  outcomes: Schemas["Outcomes"];
  gap: Schemas["Gap"];
  pong: Schemas["Pong"];
  heartbeat: Schemas["Heartbeat"];
  error: Schemas["Error"];
  quotes: Schemas["Quotes"];
  depth: Schemas["OrderBooks"];
  candles: Schemas["Candles"];
  bars: Schemas["Bars"];
  orders: Schemas["OrderEvents"];
  status: Schemas["Statuses"];
}
export type ServerMessage = Messages[keyof Messages];
export type ClientMessage =
  | Schemas["Authenticate"]
  | Schemas["Subscribe"]
  | Schemas["Unsubscribe"]
  | Schemas["Ping"];

const KNOWN: ReadonlySet<unknown> = new Set<keyof Messages>([
  "authenticated",
  "expiring",
  "ack",
  "outcomes",
  "gap",
  "pong",
  "heartbeat",
  "error",
  "quotes",
  "depth",
  "candles",
  "bars",
  "orders",
  "status",
]);

/** The message of a text frame; `null` if its type is not known, as the protocol asks of clients. */
export function parse(text: string): ServerMessage | null {
  const message: unknown = JSON.parse(text);
  const type = (message as { type?: unknown } | null)?.type;
  return KNOWN.has(type) ? (message as ServerMessage) : null;
}
