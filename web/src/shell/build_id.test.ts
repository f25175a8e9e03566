import { expect, test } from "vitest";
import { isOutdated } from "./build_id.ts";

const serving = (text: string) => async () => new Response(text);

test("a page of another build is outdated", async () => {
  expect(await isOutdated(serving('{"build":"b"}'), "a")).toBe(true);
  expect(await isOutdated(serving('{"build":"a"}'), "a")).toBe(false);
});

test("a server that does not say is not newer", async () => {
  expect(await isOutdated(serving("{}"), "a")).toBe(false);
  expect(await isOutdated(serving("null"), "a")).toBe(false);
});
