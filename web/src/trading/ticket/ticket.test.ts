import { beforeEach, expect, test } from "vitest";
import { NoAnswer, Refusal } from "../../api/problems.ts";
import { ManualClock, settled } from "../../testing/manual_clock.ts";
import type { NewOrder, Order, OrderChanges, Preview } from "../messages.ts";
import { instrument, order } from "../testing.ts";
import type { Fields } from "./terms.ts";
import { Ticket } from "./ticket.ts";

const START: Fields = {
  account: "paper",
  product: "I",
  orderType: "LIMIT",
  validity: "DAY",
  lots: "10",
  price: "1400.05",
  trigger: "",
  disclosed: "",
};
const PASSED: Preview = { passed: true, rules: [], margin: "2800.1" };
const TYPING_MS = 200;
const AGAIN_MS = 3_000;

let clock: ManualClock;
let previews: { order: NewOrder; answer: (preview: Preview) => void; signal: AbortSignal }[];
let placed: string[];
let sent: OrderChanges[];
let outcome: Order | Error;
let keys: number;

beforeEach(() => {
  clock = new ManualClock();
  previews = [];
  placed = [];
  sent = [];
  outcome = order();
  keys = 0;
});

const answered = (key: string): Order => {
  placed.push(key);
  if (outcome instanceof Error) throw outcome;
  return outcome;
};

function ticket(fields: Partial<Fields> = {}, amended: Order | null = null): Ticket {
  const subject = { instrument: instrument(), side: "BUY", amended } as const;
  return new Ticket(
    subject,
    { ...START, ...fields },
    {
      clock,
      random: () => 1,
      newKey: () => {
        keys += 1;
        return `key-${keys}`;
      },
      preview: (asked, signal) =>
        new Promise((resolve) => previews.push({ order: asked, answer: resolve, signal })),
      place: async (_, key) => answered(key),
      modify: async (_, changes, key) => {
        sent.push(changes);
        return answered(key);
      },
    },
  );
}

test("the preview follows the fields after a pause, and drops answers to earlier terms", async () => {
  const own = ticket();
  for (const price of ["1", "14", "1400"]) own.change({ price });
  await clock.pass(TYPING_MS);
  own.change({ price: "1401" });
  await clock.pass(TYPING_MS);
  expect(previews.map((one) => one.order.price)).toEqual(["1400", "1401"]);
  expect(previews[0]?.signal.aborted).toBe(true);
  previews[1]?.answer(PASSED);
  await settled();
  previews[0]?.answer({ ...PASSED, margin: "1" });
  await settled();
  expect(own.previewing.state.value).toMatchObject({
    kind: "shown",
    preview: { margin: "2800.1" },
  });
});

test("a rule that the preview breaks is shown beside its field, and others by themselves", async () => {
  const own = ticket();
  await clock.pass(TYPING_MS);
  const rules = [
    { rule: "price", passed: false, detail: "the price is not on a tick" },
    { rule: "margin", passed: false, detail: "the margin is too small" },
    { rule: "quantity", passed: true },
  ];
  previews[0]?.answer({ ...PASSED, passed: false, rules });
  await settled();
  expect(own.problems).toEqual({ price: "The price is not on a tick." });
  expect(own.troubles).toEqual(["The margin is too small."]);
});

test("terms that fail a check are not sent, and are checked again until they pass", async () => {
  const own = ticket();
  await clock.pass(TYPING_MS);
  const rules = [{ rule: "margin", passed: false, detail: "the margin is too small" }];
  previews[0]?.answer({ ...PASSED, passed: false, rules });
  await settled();
  expect(own.canSend).toBe(false);
  await own.send();
  expect(placed).toEqual([]);
  await clock.pass(AGAIN_MS);
  expect([previews.length, own.previewing.state.value.kind]).toEqual([2, "shown"]);
  previews[1]?.answer(PASSED);
  await settled();
  expect(own.canSend).toBe(true);
  await clock.pass(AGAIN_MS);
  expect(previews).toHaveLength(2);
});

test("checks that fail do not keep an order of unknown outcome from being asked for again", async () => {
  outcome = new NoAnswer("cut");
  const own = ticket();
  await clock.pass(TYPING_MS);
  const sending = own.send();
  await settled();
  const rules = [{ rule: "max_open_orders", passed: false, detail: "this is one too many" }];
  previews[0]?.answer({ ...PASSED, passed: false, rules });
  await clock.pass(40_000);
  await sending;
  outcome = order();
  expect(await own.send()).toMatchObject({ kind: "done" });
});

test("incomplete terms are not asked for, nor sent", async () => {
  const own = ticket({ price: "" });
  await clock.pass(TYPING_MS);
  expect(previews).toEqual([]);
  expect(own.problems).toEqual({ price: "Enter a price, 0.0001 to 10,00,00,000." });
  expect(await own.send()).toEqual({ kind: "new" });
  expect(placed).toEqual([]);
});

test("a lost answer keeps the key and the terms of the ticket", async () => {
  outcome = new NoAnswer("cut");
  const own = ticket();
  const sending = own.send();
  await settled();
  expect(own.isFixed).toBe(true);
  own.change({ price: "1" });
  expect(own.fields.value.price).toBe("1400.05");
  await clock.pass(40_000);
  expect(await sending).toMatchObject({ kind: "unknown", isAsking: false });
  outcome = order();
  expect(await own.send()).toMatchObject({ kind: "done" });
  expect(new Set(placed)).toEqual(new Set(["key-1"]));
});

test("a second press while the order is sent sends nothing more", async () => {
  const own = ticket();
  await Promise.all([own.send(), own.send()]);
  await own.send();
  expect(placed).toEqual(["key-1"]);
});

test("a refused order can be corrected, with a new key", async () => {
  outcome = new Refusal(422, "order_refused", "the price is not on a tick", "price");
  const own = ticket();
  await own.send();
  expect(own.problems).toEqual({ price: "The price is not on a tick." });
  expect(own.isFixed).toBe(false);
  own.change({ price: "1400" });
  expect(own.problems).toEqual({});
  outcome = order();
  await own.send();
  expect(placed).toEqual(["key-1", "key-2"]);
});

test("an order at Upstox is asked for once more, and again after a change", async () => {
  const own = ticket({ account: "upstox" });
  await own.send();
  expect(placed).toEqual([]);
  expect(own.isAskedOnceMore.value).toBe(true);
  own.change({ lots: "11" });
  expect(own.isAskedOnceMore.value).toBe(false);
  await own.send();
  await own.send();
  expect(placed).toEqual([]);
  await clock.pass(1_000);
  await own.send();
  expect(placed).toEqual(["key-1"]);
});

test("a change shows what concerns the account or the product by itself", async () => {
  const own = ticket({}, order({ account: "upstox" }));
  own.change({ price: "1399" });
  await clock.pass(TYPING_MS);
  const rules = [{ rule: "product", passed: false, detail: "product: too late for I" }];
  previews[0]?.answer({ passed: false, rules });
  await settled();
  expect(own.problems).toEqual({});
  expect(own.troubles).toEqual(["Product: too late for I."]);
});

test("a change is previewed, and sends the terms that differ", async () => {
  const own = ticket({}, order());
  await clock.pass(TYPING_MS);
  expect(previews).toEqual([]);
  own.change({ price: "1399" });
  await clock.pass(TYPING_MS);
  await own.send();
  expect(previews.map(({ order: { price } }) => price)).toEqual(["1399"]);
  expect(sent).toEqual([{ price: "1399" }]);
});

test("while the price is stale, an order needs a limit", async () => {
  const own = ticket({ orderType: "MARKET" });
  own.isStale.value = true;
  await own.send();
  expect(placed).toEqual([]);
  own.change({ orderType: "LIMIT" });
  await own.send();
  expect(placed).toHaveLength(1);
});

test("arrow keys step by lots and ticks, exactly and not below one", () => {
  const own = ticket({ lots: "2", price: "0.1" });
  own.step("lots", 1);
  own.step("price", 1);
  expect(own.fields.value).toMatchObject({ lots: "3", price: "0.15" });
  own.step("price", -1);
  own.step("price", -1);
  own.step("price", -1);
  expect(own.fields.value.price).toBe("0.05");
  own.change({ price: "1,420.50" });
  own.step("price", 1);
  expect(own.fields.value.price).toBe("1420.55");
});

test("a stopped ticket asks for no preview", async () => {
  const own = ticket();
  own.stop();
  await clock.pass(TYPING_MS);
  expect(previews).toEqual([]);
  expect(clock.timers).toBe(0);
});
