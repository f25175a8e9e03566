/** The messages about orders and accounts (docs/orders.md), with types from the gateway's document. Pure. */
import type { components } from "../api/gateway.gen.ts";

type Schemas = components["schemas"];
export type Account = Schemas["Account"];
export type Side = Schemas["Side"];
export type Product = Schemas["Product"];
export type OrderType = Schemas["OrderType"];
export type Validity = Schemas["Validity"];
export type NewOrder = Schemas["NewOrder"];
export type OrderChanges = Schemas["OrderChanges"];
export type Order = Schemas["OrderView"];
export type OrderDetail = Schemas["OrderDetail"];
export type Trade = Schemas["Trade"];
export type Position = Schemas["PositionView"];
export type Positions = Schemas["Positions"];
export type Holding = Schemas["Holding"];
export type Funds = Schemas["Funds"];
export type Limits = Schemas["Limits"];
export type Preview = Schemas["Preview"];
export type UserEvent = Schemas["UserEvent"];
export type Events = Schemas["Events"];
export type Link = Schemas["LinkView"];
export type LinkLogin = Schemas["LinkBeginReply"];

const FINAL: ReadonlySet<string> = new Set(["filled", "cancelled", "rejected", "expired"]);

/** Whether the order can still be filled. One of unknown state may be. */
export function isOpen(order: Order): boolean {
  return !FINAL.has(order.state);
}
