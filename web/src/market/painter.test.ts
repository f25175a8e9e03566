import { beforeEach, expect, test } from "vitest";
import { Subscriptions } from "../stream/subscriptions.ts";
import { ManualClock } from "../testing/manual_clock.ts";
import { Market } from "./market.ts";
import { Painter } from "./painter.ts";

let frames: (() => void)[];
let market: Market;
let painter: Painter;
let painted: string[];

function frame(): void {
  for (const work of frames.splice(0)) work();
}

function take(key: string, seq: number): void {
  market.received({ type: "quotes", data: [{ key, epoch: 1, seq, ts: 0, rt: 0 }] }, 0);
}

beforeEach(() => {
  frames = [];
  painted = [];
  market = new Market(new ManualClock(), new Subscriptions());
  painter = new Painter(market, (work) => frames.push(work));
  for (const key of ["a", "b"]) painter.watch(key, () => painted.push(key));
  frame();
  painted = [];
});

test("a hundred quotes of one instrument are painted once, at the next frame", () => {
  for (let seq = 1; seq <= 100; seq += 1) take("a", seq);
  expect(painted).toEqual([]);
  expect(frames).toHaveLength(1);
  frame();
  expect(painted).toEqual(["a"]);
});

test("a frame without changes is not requested", () => {
  take("a", 1);
  frame();
  expect(frames).toEqual([]);
});

test("what changes the freshness of all repaints all", () => {
  market.cut(1);
  frame();
  expect(painted).toEqual(["a", "b"]);
});

test("what is watched no longer is not painted", () => {
  const stop = painter.watch("c", () => painted.push("c"));
  painted = [];
  stop();
  take("c", 1);
  frame();
  expect(painted).toEqual([]);
});
