/** The commands that are asked for first: cancel all, exit, exit all, kill switch, reset. */
import { NotKnown } from "../api/problems.ts";
import type { Accounts } from "./account/accounts.ts";
import type { Instruments } from "./account/instruments.ts";
import type { TradingCalls } from "./calls.ts";
import { Command, type CommandPorts } from "./command.ts";
import type { Account, Order, Position } from "./messages.ts";
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

const where = (account: Account): string =>
  account === "paper" ? "in the paper account" : "at Upstox, with real money";

/** The results of one command's orders; a refused one is never left out. */
function outcome(orders: readonly Order[], done: string): string {
  const refused = orders.filter(({ state }) => state === "rejected");
  const unknown = orders.filter(({ state, pending }) => state === "unknown" || pending);
  const reasons = new Set(refused.map(({ detail }) => detail ?? "refused"));
  const parts = [`${done}: ${orders.length}`];
  if (refused.length > 0) parts.push(`refused: ${refused.length} (${[...reasons].join("; ")})`);
  if (unknown.length > 0) parts.push(`not known yet: ${unknown.length}`);
  return parts.join(", ");
}

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
      `All open orders ${where(account)} are cancelled.`,
      "Cancel all",
      async (key) => outcome(await this.#ports.calls.cancelAll(account, key), "Orders cancelled"),
    );
  }

  exit(position: Position, account: Account): void {
    const symbol = this.#ports.instruments.symbolOf(position.key);
    const verb = position.quantity > 0 ? "Sell" : "Buy back";
    this.#ask(
      account,
      `Exit ${symbol}?`,
      `${verb} ${Math.abs(position.quantity)} ${symbol} by a market order ${where(account)}.`,
      "Exit",
      async (key) =>
        outcome(await this.#ports.calls.exit(position, account, key), "Exit orders sent"),
    );
  }

  exitAll(account: Account): void {
    this.#ask(
      account,
      "Exit all positions?",
      `All positions ${where(account)} are closed by market orders.`,
      "Exit all",
      async (key) => outcome(await this.#ports.calls.exitAll(account, key), "Exit orders sent"),
    );
  }

  killSwitch(isOn: boolean): void {
    const text = isOn
      ? "New orders are refused in all your accounts, unless they close a position. Open orders stay."
      : "New orders are allowed again.";
    this.#ask(
      null,
      isOn ? "Stop new orders?" : "Allow new orders?",
      text,
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
      "Deletes its orders, trades, positions and holdings, and restores the initial cash.",
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

  #command(send: (key: string) => Promise<string>): Command<string> {
    return new Command(send, this.#ports);
  }

  #ask(
    account: Account | null,
    title: string,
    text: string,
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
