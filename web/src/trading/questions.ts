/** The commands that are asked for first: cancel all, exit, exit all, kill switch, reset. */
import { NotKnown } from "../api/problems.ts";
import type { Accounts } from "./account/accounts.ts";
import type { Instruments } from "./account/instruments.ts";
import type { TradingCalls } from "./calls.ts";
import { Command, type CommandPorts } from "./command.ts";
import { type Account, isOpen, type Order, type Position } from "./messages.ts";
import type { Question } from "./question.ts";
import type { Screens } from "./screens.ts";
import { orderText } from "./words.ts";

export interface QuestionsPorts extends CommandPorts {
  readonly calls: TradingCalls;
  readonly accounts: Accounts;
  readonly instruments: Instruments;
  readonly screens: Screens;
  readonly tell: (news: string) => void;
  readonly report: (trouble: unknown) => void;
}

const CANCELLED_FIRST = "Its open orders are cancelled first.";
const isSame = (one: Position, other: Position): boolean =>
  one.key === other.key && one.product === other.product;
const where = (account: Account): string =>
  account === "paper" ? "in the paper account" : "at Upstox, with real money";

type Counted = readonly [words: string, orders: readonly Order[]];

/** The number of orders with each result, and the reasons; no order is left out. */
function outcome(counts: readonly Counted[]): string {
  const parts = counts
    .filter(([, orders]) => orders.length > 0)
    .map(([words, orders]) => {
      const reasons = [...new Set(orders.map(({ detail }) => detail).filter(Boolean))];
      return `${words}: ${orders.length}${reasons.length > 0 ? ` (${reasons.join("; ")})` : ""}`;
    });
  return parts.join(", ");
}

/** A cancellation that was refused, or only accepted so far, leaves its order open. */
function cancellations(orders: readonly Order[]): readonly Counted[] {
  const isUnknown = ({ state, pending }: Order) => state === "unknown" || Boolean(pending);
  return [
    ["Orders cancelled", withoutDetail(orders.filter(({ state }) => state === "cancelled"))],
    ["not known yet", orders.filter(isUnknown)],
    ["still open", orders.filter((order) => isOpen(order) && !isUnknown(order))],
    ["ended before", withoutDetail(orders.filter(({ state }) => isEnd(state)))],
  ];
}

function exits(orders: readonly Order[]): readonly Counted[] {
  return [
    ["Exit orders sent", withoutDetail(orders.filter(isSent))],
    ["refused", orders.filter(({ state }) => isRefused(state))],
    ["not known yet", orders.filter(({ state }) => state === "unknown")],
  ];
}

const isSent = ({ state }: Order): boolean => !isRefused(state) && state !== "unknown";
const isEnd = (state: string): boolean => state === "filled" || isRefused(state);
const isRefused = (state: string): boolean => state === "rejected" || state === "expired";
/** Of an order with this result, the detail belongs to an earlier command. */
const withoutDetail = (orders: readonly Order[]): readonly Order[] =>
  orders.map((order) => ({ ...order, detail: null }));

export class Questions {
  readonly #ports: QuestionsPorts;

  constructor(ports: QuestionsPorts) {
    this.#ports = ports;
  }

  /** Not asked for: the same order can be placed again. */
  async cancel(order: Order): Promise<void> {
    const { calls, accounts, instruments } = this.#ports;
    const text = orderText(order, instruments.symbolOf(order.key));
    const command = this.#command(async (key) => {
      const answer = await calls.cancel(order.order_id, key);
      accounts.learn([answer]);
      return answer.state === "cancelled" ? `Cancelled: ${text}` : `To be cancelled: ${text}`;
    });
    await this.#run(command, `the order ${text} was cancelled`);
  }

  cancelAll(account: Account): void {
    this.#ask(
      account,
      "Cancel all open orders?",
      () => `All open orders ${where(account)} are cancelled.`,
      "Cancel all",
      async (key) => {
        const orders = await this.#ports.calls.cancelAll(account, key);
        return outcome(cancellations(orders)) || "No order was open";
      },
    );
  }

  exit(position: Position, account: Account): void {
    const { accounts, instruments, calls } = this.#ports;
    const symbol = instruments.symbolOf(position.key);
    this.#ask(
      account,
      `Exit ${symbol}?`,
      () => {
        const { positions } = accounts.book(account).value;
        const units = (positions.find((one) => isSame(one, position)) ?? position).quantity;
        if (units === 0) return `There is no position in ${symbol} any more.`;
        const verb = units > 0 ? "Sell" : "Buy back";
        return `${verb} ${Math.abs(units)} ${symbol} by a market order ${where(account)}. ${CANCELLED_FIRST}`;
      },
      "Exit",
      this.#exiting(account, (key) => calls.exit(position, account, key)),
    );
  }

  exitAll(account: Account): void {
    this.#ask(
      account,
      "Exit all positions?",
      () =>
        `All positions ${where(account)} are closed by market orders. Their open orders are cancelled first.`,
      "Exit all",
      this.#exiting(account, (key) => this.#ports.calls.exitAll(account, key)),
    );
  }

  killSwitch(isOn: boolean): void {
    const text = isOn
      ? "New orders are refused in all your accounts, unless they close a position. Open orders stay."
      : "New orders are allowed again.";
    this.#ask(
      null,
      isOn ? "Stop new orders?" : "Allow new orders?",
      () => text,
      isOn ? "Stop new orders" : "Allow new orders",
      async (key) => {
        await this.#ports.calls.setKillSwitch(isOn, key);
        await this.#ports.accounts.readLimits();
        return isOn ? "New orders are stopped" : "New orders are allowed";
      },
    );
  }

  resetPaper(): void {
    this.#ask(
      "paper",
      "Reset the paper account?",
      () => "Deletes its orders, trades, positions and holdings, and restores the initial cash.",
      "Reset",
      async (key) => {
        await this.#ports.calls.resetPaper(key);
        return "The paper account is new";
      },
    );
  }

  /** The answer to the shown question is yes. Closing it later does not take that back. */
  async confirm(question: Question): Promise<void> {
    const isDone = await this.#run(question.command, `“${question.act}” was done`);
    if (isDone && this.#ports.screens.question.peek() === question) this.#ports.screens.ask(null);
  }

  /**
   * The answer has the orders that were cancelled first, too: those were known before the first
   * attempt, or end as cancelled.
   */
  #exiting(
    account: Account,
    send: (key: string) => Promise<readonly Order[]>,
  ): (key: string) => Promise<string> {
    let known: ReadonlySet<string> | null = null;
    return async (key) => {
      const before = this.#ports.accounts.book(account).peek().orders;
      known ??= new Set(before.map(({ order_id }) => order_id));
      const orders = await send(key);
      const isCancelled = ({ order_id, state, pending }: Order) =>
        known?.has(order_id) || state === "cancelled" || pending === "cancel";
      const sent = exits(orders.filter((order) => !isCancelled(order)));
      const cancelled = cancellations(orders.filter(isCancelled));
      return outcome([...sent, ...cancelled]) || "No position was open";
    };
  }

  #command(send: (key: string) => Promise<string>): Command<string> {
    return new Command(send, this.#ports);
  }

  #ask(
    account: Account | null,
    title: string,
    text: () => string,
    act: string,
    send: (key: string) => Promise<string>,
  ): void {
    this.#ports.screens.ask({ title, text, act, account, command: this.#command(send) });
  }

  /** Whether it was done; a dialog that is still open shows why not, and else a notice does. */
  async #run(command: Command<string>, what: string): Promise<boolean> {
    try {
      const state = await command.run();
      if (state.kind === "done") this.#ports.tell(state.answer);
      const isShown = this.#ports.screens.question.peek()?.command === command;
      if (state.kind === "refused" && !isShown) this.#ports.report(state.error);
      if (state.kind === "unknown" && !isShown) {
        this.#ports.report(
          new NotKnown(`It is not known yet whether ${what}. Look at your orders.`),
        );
      }
      return state.kind === "done";
    } catch (error) {
      this.#ports.report(error);
      return false;
    }
  }
}
