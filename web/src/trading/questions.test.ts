import { type Signal, signal } from "@preact/signals-core";
import { beforeEach, expect, test } from "vitest";
import { NoAnswer, NotKnown, Refusal } from "../api/problems.ts";
import { ManualClock, settled } from "../testing/manual_clock.ts";
import type { Accounts } from "./account/accounts.ts";
import { type Book, UNREAD } from "./account/book.ts";
import { Instruments } from "./account/instruments.ts";
import { TradingCalls } from "./calls.ts";
import { Questions } from "./questions.ts";
import { Screens } from "./screens.ts";
import { order, position } from "./testing.ts";

let clock: ManualClock;
let asked: string[];
let answer: unknown;
let screens: Screens;
let news: string[];
let book: Signal<Book>;
let reports: unknown[];
let questions: Questions;

beforeEach(() => {
  clock = new ManualClock();
  asked = [];
  answer = { orders: [order()] };
  screens = new Screens();
  news = [];
  reports = [];
  const call = async (path: string, options: { method?: string } = {}) => {
    asked.push(`${options.method ?? "GET"} ${path}`);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  book = signal(UNREAD);
  const accounts: Pick<Accounts, "book" | "learn" | "readLimits"> = {
    book: () => book,
    learn: () => {},
    readLimits: async () => {
      asked.push("limits");
    },
  };
  questions = new Questions({
    clock,
    random: () => 1,
    newKey: () => "key",
    calls: new TradingCalls({ call }),
    accounts: accounts as Accounts,
    instruments: new Instruments(
      async () => [],
      () => {},
    ),
    screens,
    tell: (text) => news.push(text),
    report: (trouble) => reports.push(trouble),
  });
});

function shown() {
  const question = screens.question.peek();
  if (question === null) throw new Error("nothing is asked");
  return question;
}

test("nothing is sent before the answer, and an order that was refused is told", async () => {
  questions.exitAll("paper");
  expect(asked).toEqual([]);
  book.value = { ...UNREAD, orders: [order({ order_id: "stop" })] };
  answer = {
    orders: [
      order({ order_id: "stop", state: "cancelled", detail: "an earlier refusal" }),
      order({ order_id: "exit" }),
      order({ order_id: "other", state: "rejected", detail: "no price" }),
    ],
  };
  await questions.confirm(shown());
  expect(asked).toEqual(["DELETE /v1/positions"]);
  expect(news).toEqual(["Exit orders sent: 1, refused: 1 (no price), Orders cancelled: 1"]);
  expect(screens.question.value).toBeNull();
});

test("an exit order whose answer was lost is not told as sent", async () => {
  answer = { orders: [order({ order_id: "exit", state: "unknown" })] };
  questions.exitAll("upstox");
  await questions.confirm(shown());
  expect(news).toEqual(["not known yet: 1"]);
});

test("orders of an exit that come by events before its answer are no cancellations", async () => {
  questions.exitAll("paper");
  answer = new NoAnswer("cut");
  const asking = questions.confirm(shown());
  await settled();
  const exit = order({ order_id: "exit", state: "rejected", detail: "no price" });
  book.value = { ...UNREAD, orders: [exit] };
  answer = { orders: [exit, order({ order_id: "unread", state: "cancelled" })] };
  await clock.pass(5_000);
  await asking;
  expect(news).toEqual(["refused: 1 (no price), Orders cancelled: 1"]);
});

test("an exit says what it will do now, and where", () => {
  questions.exit(position({ quantity: -5 }), "upstox");
  expect(shown().text()).toBe(
    "Buy back 5 INE002A01018 by a market order at Upstox, with real money. Its open orders are cancelled first.",
  );
  book.value = { ...UNREAD, positions: [position({ quantity: 7 })] };
  expect(shown().text()).toContain("Sell 7 INE002A01018");
  book.value = { ...UNREAD, positions: [position({ quantity: 0 })] };
  expect(shown().text()).toBe("There is no position in INE002A01018 any more.");
  expect(shown().account).toBe("upstox");
});

test("an order that is still open is not told as cancelled", async () => {
  answer = {
    orders: [
      order({ state: "cancelled" }),
      order({ code: "deadline_passed", detail: "nothing was sent" }),
      order({ pending: "cancel" }),
      order({ state: "unknown" }),
      order({ state: "filled" }),
    ],
  };
  questions.cancelAll("upstox");
  await questions.confirm(shown());
  expect(news).toEqual([
    "Orders cancelled: 1, not known yet: 2, still open: 1 (nothing was sent), ended before: 1",
  ]);
  answer = { orders: [] };
  questions.cancelAll("upstox");
  await questions.confirm(shown());
  expect(news.at(-1)).toBe("No order was open");
});

test("the kill switch reads the limits after it was set", async () => {
  questions.killSwitch(true);
  await questions.confirm(shown());
  expect(asked).toEqual(["PUT /v1/kill-switch", "limits"]);
  expect(news).toEqual(["New orders are stopped"]);
});

test("a refusal stays in its dialog, or is a notice if that was closed", async () => {
  answer = new Refusal(503, "unavailable", "away");
  questions.cancelAll("paper");
  const question = shown();
  const asking = questions.confirm(question);
  await settled();
  expect(question.command.state.value).toMatchObject({ kind: "unknown", isAsking: true });
  screens.ask(null);
  answer = new Refusal(422, "broker_refused", "no");
  await clock.pass(5_000);
  await asking;
  expect(reports).toEqual([answer]);
});

test("a single order is cancelled at once, and what is not known in time is said", async () => {
  answer = new NoAnswer("cut");
  const cancelling = questions.cancel(order());
  await clock.pass(40_000);
  await cancelling;
  expect(screens.question.value).toBeNull();
  expect(reports[0]).toBeInstanceOf(NotKnown);
  answer = order({ state: "cancelled" });
  await questions.cancel(order());
  expect(news).toEqual(["Cancelled: BUY 10 INE002A01018, LIMIT 1,400.05"]);
});
