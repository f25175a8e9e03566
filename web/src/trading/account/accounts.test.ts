import { beforeEach, expect, test } from "vitest";
import { NoAnswer } from "../../api/problems.ts";
import { ManualClock, settled } from "../../testing/manual_clock.ts";
import { TradingCalls } from "../calls.ts";
import { event, funds, order } from "../testing.ts";
import { Accounts } from "./accounts.ts";

const LIMITS = { kill_switch: false, loss_lock: false, switches: [] };

let clock: ManualClock;
let link: { state: string } | Error;
let asked: string[];
let failing: string;
let newDays: number;
let accounts: Accounts;

function answer(path: string, account: string): unknown {
  if (path === failing && account === "upstox") throw new NoAnswer("away");
  switch (path) {
    case "/v1/orders":
      return { orders: [order({ account: account as "paper" })] };
    case "/v1/trades":
      return { trades: [] };
    case "/v1/positions":
      return { positions: [] };
    case "/v1/holdings":
      return { holdings: [] };
    case "/v1/funds":
      return funds();
    case "/v1/limits":
      return LIMITS;
    default:
      if (link instanceof Error) throw link;
      return link;
  }
}

beforeEach(() => {
  clock = new ManualClock();
  link = { state: "unlinked" };
  asked = [];
  failing = "";
  newDays = 0;
  const client = {
    call: async (path: string, options: { query?: Record<string, unknown> } = {}) => {
      const account = String(options.query?.["account"]);
      asked.push(`${path} ${account}`);
      return answer(path, account);
    },
  };
  const onNewDay = () => {
    newDays += 1;
  };
  accounts = new Accounts({ calls: new TradingCalls(client), clock, onNewDay });
});

test("without a link only the paper account is read", async () => {
  await accounts.read();
  expect(accounts.book("paper").value.orders).toHaveLength(1);
  expect(accounts.limits("paper").value).toEqual(LIMITS);
  expect(asked.some((one) => one.endsWith("upstox"))).toBe(false);
});

test("a failure at Upstox is a trouble of that account only", async () => {
  link = { state: "linked" };
  failing = "/v1/funds";
  await accounts.read();
  expect(accounts.book("paper").value.funds).not.toBeNull();
  expect(accounts.trouble.value).toBeInstanceOf(NoAnswer);
  failing = "";
  await accounts.readUpstox();
  expect(accounts.trouble.value).toBeNull();
  expect(accounts.upstoxReadMs.value).toBe(clock.now());
});

test("without positions at Upstox its orders are shown, and what was read before stays", async () => {
  link = { state: "linked" };
  await accounts.read();
  const { funds: before } = accounts.book("upstox").value;
  link = { state: "expired" };
  failing = "/v1/positions";
  accounts.learn([order({ account: "upstox", order_id: "o2" })]);
  await accounts.readUpstox();
  const book = accounts.book("upstox").value;
  expect(book.orders.map(({ order_id }) => order_id)).toEqual(["o1"]);
  expect(book.funds).toBe(before);
  expect(accounts.trouble.value).toBeInstanceOf(NoAnswer);
});

test("an account that could not be read is not taken for an empty one", async () => {
  link = { state: "linked" };
  failing = "/v1/orders";
  await accounts.read();
  accounts.apply([event(1, { order: order({ account: "upstox" }) })]);
  expect(accounts.book("upstox").value).toMatchObject({ hasOrders: false, hasPositions: true });
});

test("news that come while Upstox is read are newer than what was read", async () => {
  link = { state: "linked" };
  const reading = accounts.readUpstox();
  await settled(); // the answers are on their way
  const filled = order({ account: "upstox", state: "filled", event_count: 9 });
  accounts.apply([event(1, { order: filled })]);
  accounts.learn([order({ account: "upstox", order_id: "o2" })]);
  await reading;
  expect(accounts.book("upstox").value.orders.map(({ state }) => state)).toEqual([
    "open",
    "filled",
  ]);
});

test("while Upstox waits for the user's consent the link is read again", async () => {
  link = { state: "waiting" };
  await accounts.readUpstox();
  link = new NoAnswer("cut");
  await clock.pass(10_000);
  await settled();
  link = { state: "linked" };
  await clock.pass(10_000);
  await settled();
  expect(accounts.link.isLinked).toBe(true);
});

test("without an answer about the link the paper account works", async () => {
  link = new NoAnswer("no keys");
  await accounts.read();
  expect(accounts.book("paper").value.funds).not.toBeNull();
  expect(accounts.trouble.value).toBe(link);
});

test("events go to the book of their account, and those of Upstox read it again after a while", async () => {
  link = { state: "linked" };
  await accounts.read();
  asked = [];
  const own = order({ account: "upstox", order_id: "o2" });
  accounts.apply([event(1, { order: own }), event(2, { order: own })]);
  expect(accounts.book("upstox").value.orders[0]?.order_id).toBe("o2");
  expect(accounts.book("paper").value.orders).toHaveLength(1);
  expect(asked).toEqual([]);
  await clock.pass(1_000);
  await settled();
  expect(asked.filter((one) => one === "/v1/positions upstox")).toHaveLength(1);
});

test("limits replace limits, and changed funds begin a new day", () => {
  const limits = { ...LIMITS, kill_switch: true } as never;
  accounts.apply([event(1, { kind: "limits", limits })]);
  expect(accounts.limits("paper").value?.kill_switch).toBe(true);
  expect(newDays).toBe(0);
  accounts.apply([event(2, { kind: "funds", funds: funds() })]);
  expect(newDays).toBe(1);
});

test("a slow read of Upstox does not bring back the book of a link that was ended", async () => {
  link = { state: "linked" };
  const slow = accounts.readUpstox();
  link = { state: "unlinked" };
  await accounts.readUpstox();
  await slow;
  expect(accounts.link.isLinked).toBe(false);
  expect(accounts.book("upstox").value.orders).toEqual([]);
});
