import { signal } from "@preact/signals-core";
import { beforeEach, expect, test } from "vitest";
import { Declined, NoAnswer, NotKnown, Refusal } from "../api/problems.ts";
import type { Quote } from "../stream/protocol.ts";
import { ManualClock, settled } from "../testing/manual_clock.ts";
import { type Book, UNREAD } from "./account/book.ts";
import type { Account, Order } from "./messages.ts";
import { Screens } from "./screens.ts";
import { instrument, KEY, order } from "./testing.ts";
import { Tickets } from "./tickets.ts";

let clock: ManualClock;
let outcome: Order | Error;
let unreadable: Error | null;
let book: Book;
let screens: Screens;
let news: string[];
let reports: unknown[];
let followed: string[];
let tickets: Tickets;

beforeEach(() => {
  clock = new ManualClock();
  outcome = order();
  unreadable = null;
  book = UNREAD;
  screens = new Screens();
  news = [];
  reports = [];
  followed = [];
  const place = async () => {
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  const never = () => new Promise<never>(() => {});
  tickets = new Tickets({
    clock,
    random: () => 1,
    newKey: () => "key",
    calls: { place, modify: place, preview: never, previewChanges: never },
    accounts: {
      learn: ([answer]) => {
        if (answer && book.orders.length === 0) book = { ...book, orders: [answer] };
      },
      book: () => signal(book),
    },
    instruments: {
      get: async (key) => {
        if (unreadable !== null) throw unreadable;
        return key === KEY ? instrument() : null;
      },
    },
    screens,
    account: signal<Account>("paper"),
    follow: (keys) => followed.push(...keys),
    unfollow: (keys) => {
      followed = followed.filter((key) => !keys.includes(key));
    },
    quoteOf: () => ({ key: KEY, epoch: 1, seq: 1, ts: 1, rt: 1, bid: 1400, ask: 1400.1 }) as Quote,
    tell: (text) => news.push(text),
    report: (trouble) => reports.push(trouble),
  });
});

async function opened(side: "BUY" | "SELL" = "BUY") {
  await tickets.open(KEY, side);
  const ticket = screens.ticket.peek();
  if (ticket === null) throw new Error("no ticket is open");
  return ticket;
}

test("a ticket begins with the best price of the other side, and follows the instrument", async () => {
  const buy = await opened();
  expect(buy.fields.value).toMatchObject({ account: "paper", price: "1400.10", lots: "1" });
  expect(followed).toEqual([KEY]);
  tickets.close(buy);
  expect((await opened("SELL")).fields.value.price).toBe("1400.00");
});

test("one ticket is open at a time, and one of an unknown instrument is a notice", async () => {
  const first = await opened();
  await tickets.open(KEY, "SELL");
  expect(screens.ticket.value).toBe(first);
  tickets.close(first);
  await tickets.open("NSE_EQ|NO", "BUY");
  expect(reports[0]).toBeInstanceOf(NotKnown);
});

test("no ticket opens on an index, which cannot be ordered", async () => {
  await tickets.open("NSE_INDEX|Nifty 50", "BUY");
  expect([screens.ticket.peek(), reports.length, followed]).toEqual([null, 1, []]);
  expect(reports[0]).toBeInstanceOf(Declined);
});

test("an order that arrived closes its ticket and is told", async () => {
  await tickets.send(await opened());
  expect(screens.ticket.value).toBeNull();
  expect(followed).toEqual([]);
  expect(news).toEqual(["BUY 10 RELIANCE, LIMIT 1,400.05: open"]);
});

test("news that overtook the answer are not replaced by it", async () => {
  book = { ...UNREAD, orders: [order({ state: "filled", event_count: 3 })] };
  await tickets.send(await opened());
  expect(news).toEqual([]);
});

test("a refused order leaves its ticket open", async () => {
  outcome = new Refusal(422, "order_refused", "no");
  const ticket = await opened();
  await tickets.send(ticket);
  expect(screens.ticket.value).toBe(ticket);
  expect(reports).toEqual([]);
});

test("a ticket that is closed before the answer is known is kept until it is", async () => {
  outcome = new NoAnswer("cut");
  const ticket = await opened();
  const sending = tickets.send(ticket);
  await settled();
  tickets.close(ticket);
  expect(tickets.unsettled.value).toEqual([ticket]);
  outcome = new Refusal(422, "order_refused", "no");
  await clock.pass(5_000);
  await sending;
  expect(tickets.unsettled.value).toEqual([]);
  expect(reports).toEqual([outcome]);
});

test("a ticket of unknown outcome can be opened again, and sent with the same key", async () => {
  outcome = new NoAnswer("cut");
  const ticket = await opened();
  const sending = tickets.send(ticket);
  await settled();
  tickets.close(ticket);
  await clock.pass(40_000);
  await sending;
  tickets.reopen(ticket);
  expect(screens.ticket.value).toBe(ticket);
  outcome = order();
  await tickets.send(ticket);
  expect(screens.ticket.value).toBeNull();
  expect(tickets.unsettled.value).toEqual([]);
});

test("an instrument that cannot be read opens no ticket, for the reason that is told", async () => {
  unreadable = new NoAnswer("");
  await tickets.open(KEY, "BUY");
  expect([screens.ticket.peek(), reports]).toEqual([null, [unreadable]]);
});
