import { expect, test } from "vitest";
import { NoAnswer } from "../api/problems.ts";
import { FaultReports } from "./fault_reports.ts";

function sending(isAway = false) {
  const sent: string[] = [];
  const reports = new FaultReports(async (_, { body }) => {
    if (isAway) throw new TypeError("away");
    sent.push(String(body));
    return new Response(null, { status: 204 });
  }, "build-1");
  return { sent, reports };
}

test("a fault is told once, with the build of the page", async () => {
  const { sent, reports } = sending();
  await reports.send(new TypeError("x is undefined"));
  await reports.send(new TypeError("x is undefined"));
  await reports.send(new NoAnswer("away"));
  expect(sent).toHaveLength(1);
  expect(sent[0]).toContain("x is undefined");
  expect(sent[0]).toContain("build-1");
});

test("only some faults are told, and a gateway that is away is no fault", async () => {
  const { sent, reports } = sending();
  for (let count = 0; count < 50; count += 1) await reports.send(new Error(String(count)));
  expect(sent).toHaveLength(10);
  await sending(true).reports.send(new Error("x"));
});
