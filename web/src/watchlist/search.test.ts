import { beforeEach, expect, test } from "vitest";
import { ManualClock, settled } from "../testing/manual_clock.ts";
import { Search } from "./search.ts";
import type { InstrumentName } from "./watchlist.ts";

const named = (symbol: string): InstrumentName => ({ key: symbol, symbol, name: "", segment: "" });

let clock: ManualClock;
let asked: string[];
let answers: Map<string, (found: InstrumentName[] | Error) => void>;
let search: Search;

beforeEach(() => {
  clock = new ManualClock();
  asked = [];
  answers = new Map();
  search = new Search((words) => {
    asked.push(words);
    return new Promise((resolve, reject) => {
      answers.set(words, (found) => (found instanceof Error ? reject(found) : resolve(found)));
    });
  }, clock);
});

async function answer(words: string, found: InstrumentName[] | Error): Promise<void> {
  answers.get(words)?.(found);
  await settled();
}

test("words are searched once the typing pauses", async () => {
  for (const words of ["i", "in", "inf "]) search.type(words);
  await clock.pass(150);
  expect(asked).toEqual(["inf"]);
  await answer("inf", [named("INFY")]);
  expect(search.state.value).toMatchObject({ kind: "found", active: 0 });
  expect(search.chosen()?.symbol).toBe("INFY");
});

test("strikes that were not searched are said to be others, and none is chosen", async () => {
  search.type("nifty 24000 ce");
  await clock.pass(150);
  const options = ["NIFTY 24500 CE 29 DEC 26", "NIFTY 24550 CE 29 DEC 26"].map(named);
  const found = options.map((one) => ({ ...one, segment: "NSE_FO" }));
  await answer("nifty 24000 ce", found);
  expect(search.state.value).toMatchObject({ missing: "24000" });
  expect(search.chosen()).toBeNull();
  search.step(1);
  expect(search.chosen()?.symbol).toBe("NIFTY 24500 CE 29 DEC 26");
});

test("a number that is no strike, or one that was found, is not missing", async () => {
  for (const words of ["500325", "nifty 24500 ce"]) {
    search.type(words);
    await clock.pass(150);
    const segment = words === "500325" ? "BSE_EQ" : "NSE_FO";
    await answer(words, [{ ...named("NIFTY 24500 CE"), segment }]);
    expect(search.state.value).toMatchObject({ missing: null, active: 0 });
  }
});

test("an answer to earlier words is not shown", async () => {
  search.type("tcs");
  await clock.pass(150);
  search.type("infy");
  await clock.pass(150);
  await answer("infy", [named("INFY")]);
  await answer("tcs", [named("TCS")]);
  expect(search.chosen()?.symbol).toBe("INFY");
});

test("the choice moves around the ends", async () => {
  search.type("x");
  await clock.pass(150);
  await answer("x", [named("1"), named("2"), named("3")]);
  search.step(-1);
  expect(search.chosen()?.symbol).toBe("3");
  search.step(1);
  expect(search.chosen()?.symbol).toBe("1");
});

test("a failed search says why, and the next one works", async () => {
  search.type("x");
  await clock.pass(150);
  await answer("x", new Error("away"));
  expect(search.state.value).toMatchObject({ kind: "failed" });
  search.type("xy");
  await clock.pass(150);
  await answer("xy", []);
  expect(search.state.value).toMatchObject({ kind: "found", results: [] });
  expect(search.chosen()).toBeNull();
});

test("empty words close the results, also if an answer is still on its way", async () => {
  search.type("x");
  await clock.pass(150);
  search.close();
  await answer("x", [named("1")]);
  expect(search.state.value).toEqual({ kind: "closed" });
  expect(clock.timers).toBe(0);
});
