/** The requests about orders, accounts and links. A command has a key, and is executed once for it. */
import type { Client } from "../api/client.ts";
import type {
  Account,
  Events,
  Funds,
  Holding,
  Limits,
  Link,
  LinkLogin,
  NewOrder,
  Order,
  OrderChanges,
  OrderDetail,
  Position,
  Positions,
  Preview,
  Trade,
} from "./messages.ts";

const ORDERS = "/v1/orders";
const POSITIONS = "/v1/positions";
const LINK = "/v1/link/upstox";
/** Orders in one answer. */
const MOST_LISTED = 200;
const PURPOSE = { purpose: "trading" };

const orderPath = (orderId: string): string => `${ORDERS}/${encodeURIComponent(orderId)}`;

export class TradingCalls {
  readonly #client: Pick<Client, "call">;

  constructor(client: Pick<Client, "call">) {
    this.#client = client;
  }

  place(order: NewOrder, commandKey: string): Promise<Order> {
    return this.#to(ORDERS, { method: "POST", body: order, commandKey });
  }

  preview(order: NewOrder, signal: AbortSignal): Promise<Preview> {
    return this.#to(`${ORDERS}/preview`, { method: "POST", body: order, signal });
  }

  previewChanges(orderId: string, changes: OrderChanges, signal: AbortSignal): Promise<Preview> {
    return this.#to(`${orderPath(orderId)}/preview`, { method: "POST", body: changes, signal });
  }

  modify(orderId: string, changes: OrderChanges, commandKey: string): Promise<Order> {
    return this.#to(orderPath(orderId), { method: "PATCH", body: changes, commandKey });
  }

  cancel(orderId: string, commandKey: string): Promise<Order> {
    return this.#to(orderPath(orderId), { method: "DELETE", commandKey });
  }

  async cancelAll(account: Account, commandKey: string): Promise<readonly Order[]> {
    return this.#orders(ORDERS, { account }, commandKey);
  }

  exit(position: Position, account: Account, commandKey: string): Promise<readonly Order[]> {
    const { key, product } = position;
    return this.#orders(
      `${POSITIONS}/${encodeURIComponent(key)}`,
      { account, product },
      commandKey,
    );
  }

  exitAll(account: Account, commandKey: string): Promise<readonly Order[]> {
    return this.#orders(POSITIONS, { account }, commandKey);
  }

  setKillSwitch(isOn: boolean, commandKey: string): Promise<{ is_on: boolean }> {
    return this.#to("/v1/kill-switch", { method: "PUT", body: { is_on: isOn }, commandKey });
  }

  resetPaper(commandKey: string): Promise<Funds> {
    return this.#to("/v1/paper/reset", { method: "POST", commandKey });
  }

  order(orderId: string): Promise<OrderDetail> {
    return this.#to(orderPath(orderId));
  }

  /** The newest of the day, and the newest that are open. */
  async orders(account: Account): Promise<readonly Order[]> {
    const { orders } = await this.#to<{ orders: Order[] }>(ORDERS, { query: { account } });
    if (orders.length < MOST_LISTED) return orders;
    const query = { account, open_only: "true" };
    const open = (await this.#to<{ orders: Order[] }>(ORDERS, { query })).orders;
    const listed = new Set(orders.map(({ order_id }) => order_id));
    return [...orders, ...open.filter(({ order_id }) => !listed.has(order_id))];
  }

  async trades(account: Account): Promise<readonly Trade[]> {
    return (await this.#to<{ trades: Trade[] }>("/v1/trades", { query: { account } })).trades;
  }

  positions(account: Account): Promise<Positions> {
    return this.#to(POSITIONS, { query: { account } });
  }

  async holdings(account: Account): Promise<readonly Holding[]> {
    const query = { account };
    return (await this.#to<{ holdings: Holding[] }>("/v1/holdings", { query })).holdings;
  }

  funds(account: Account): Promise<Funds> {
    return this.#to("/v1/funds", { query: { account } });
  }

  limits(account: Account): Promise<Limits> {
    return this.#to("/v1/limits", { query: { account } });
  }

  events(after: number): Promise<Events> {
    return this.#to(`${ORDERS}/events`, { query: { after } });
  }

  link(): Promise<Link> {
    return this.#to(LINK, { query: PURPOSE });
  }

  beginLink(app: { client_id: string; client_secret: string } | null): Promise<LinkLogin> {
    return this.#to(LINK, { method: "POST", body: { ...PURPOSE, ...app } });
  }

  finishLink(answer: string): Promise<Link> {
    return this.#to(`${LINK}/finish`, { method: "POST", body: { answer } });
  }

  requestLink(): Promise<Link> {
    return this.#to(`${LINK}/request`, { method: "POST", body: PURPOSE });
  }

  unlink(): Promise<Link> {
    return this.#to(LINK, { method: "DELETE", query: PURPOSE });
  }

  async #orders(
    path: string,
    query: Record<string, string>,
    commandKey: string,
  ): Promise<readonly Order[]> {
    const answer = await this.#to<{ orders: Order[] }>(path, {
      method: "DELETE",
      query,
      commandKey,
    });
    return answer.orders;
  }

  /** The types are those of the gateway's document, which its tests hold. */
  async #to<T>(path: string, options: Parameters<Client["call"]>[1] = {}): Promise<T> {
    return (await this.#client.call(path, options)) as T;
  }
}
