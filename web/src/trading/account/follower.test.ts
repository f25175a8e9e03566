import { beforeEach, expect, test } from "vitest";
import { NoAnswer } from "../../api/problems.ts";
import type { ServerMessage } from "../../stream/protocol.ts";
import { ManualClock, settled } from "../../testing/manual_clock.ts";
import type { UserEvent } from "../messages.ts";
import { event } from "../testing.ts";
import { Follower } from "./follower.ts";

const SUBSCRIBED: ServerMessage = { type: "ack", id: 2, results: { orders: "live" } };

let clock: ManualClock;
let stored: UserEvent[];
let lastSeq: number;
let applied: number[];
let readings: number;
let pages: number[];
let isAway: boolean;
let follower: Follower;

const live = (...seqs: number[]): ServerMessage => ({
  type: "orders",
  data: seqs.map((seq) => event(seq)),
});

beforeEach(() => {
  clock = new ManualClock();
  stored = [];
  lastSeq = 5;
  applied = [];
  readings = 0;
  pages = [];
  isAway = false;
  follower = new Follower({
    clock,
    random: () => 1,
    readEvents: async (after) => {
      pages.push(after);
      if (isAway) throw new NoAnswer("cut");
      const events = stored.filter(({ seq }) => seq > after).slice(0, 2);
      return { events, last_seq: lastSeq };
    },
    readAll: async () => {
      readings += 1;
    },
    apply: (events) => applied.push(...events.map(({ seq }) => seq)),
  });
});

async function subscribed(): Promise<void> {
  follower.received(SUBSCRIBED);
  await settled();
}

function store(upTo: number): void {
  stored = Array.from({ length: upTo }, (_, index) => event(index + 1));
  lastSeq = upTo;
}

test("everything is read once, and live events follow it", async () => {
  expect(follower.state.value).toBe("behind");
  await subscribed();
  expect(follower.state.value).toBe("current");
  expect(readings).toBe(1);
  follower.received(live(4, 5, 6, 7));
  follower.received(live(7));
  expect(applied).toEqual([6, 7]);
});

test("after a cut the view is behind until the missed events are read, page by page", async () => {
  await subscribed();
  follower.cut();
  expect(follower.state.value).toBe("behind");
  store(10);
  await subscribed();
  expect(applied).toEqual([6, 7, 8, 9, 10]);
  expect(readings).toBe(1);
  expect(follower.state.value).toBe("current");
});

test("a skipped number and the message gap both lead to reading", async () => {
  await subscribed();
  store(7);
  follower.received(live(7));
  expect(follower.state.value).toBe("behind");
  await settled();
  expect(applied).toEqual([6, 7]);
  follower.received({ type: "gap", channel: "orders" });
  await settled();
  expect(follower.state.value).toBe("current");
});

test("an event that came live while events were read is not forgotten", async () => {
  await subscribed();
  follower.cut();
  const reading = subscribed();
  store(8);
  follower.received(live(8));
  await reading;
  expect(follower.state.value).toBe("behind");
  await clock.pass(1_000);
  expect(applied).toEqual([6, 7, 8]);
});

test("a gap while everything is read leads to reading it again", async () => {
  follower.received(SUBSCRIBED);
  await Promise.resolve();
  follower.received({ type: "gap", channel: "orders" });
  await settled();
  expect(readings).toBe(2);
  expect(follower.state.value).toBe("current");
});

test("a gap while events are read leads to reading those after them", async () => {
  await subscribed();
  follower.received({ type: "gap", channel: "orders" });
  follower.received({ type: "gap", channel: "orders" });
  await settled();
  expect(pages).toHaveLength(3);
  expect(follower.state.value).toBe("current");
});

test("while the server is away it is asked again, and the reason is shown", async () => {
  isAway = true;
  await subscribed();
  expect(follower.state.value).toBe("behind");
  expect(follower.trouble.value).toBeInstanceOf(NoAnswer);
  isAway = false;
  await clock.pass(1_000);
  expect(follower.state.value).toBe("current");
  expect(follower.trouble.value).toBeNull();
});

test("events that are not stored any more lead to reading everything", async () => {
  await subscribed();
  follower.cut();
  stored = [event(9)];
  lastSeq = 9;
  await subscribed();
  expect(readings).toBe(2);
  expect(follower.state.value).toBe("current");
  follower.cut();
  lastSeq = 2_000;
  await subscribed();
  expect(readings).toBe(3);
});

test("a new day reads everything again", async () => {
  await subscribed();
  follower.readAgain();
  await settled();
  expect(readings).toBe(2);
  expect(follower.state.value).toBe("current");
});

test("nothing is read while the stream is cut, and no timer stays", async () => {
  isAway = true;
  await subscribed();
  follower.stop();
  expect(clock.timers).toBe(0);
  await clock.pass(60_000);
  expect(pages).toHaveLength(1);
});
