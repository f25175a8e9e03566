import { expect, test } from "vitest";
import { agentText } from "./agent.ts";

test("a browser is named by its own name and its system", () => {
  const chrome = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/156.0 Safari/537.36";
  expect(agentText(chrome)).toBe("Chrome on Windows");
  expect(agentText(`${chrome} Edg/156.0`)).toBe("Edge on Windows");
  expect(agentText("Mozilla/5.0 (X11) Firefox/140.0")).toBe("Firefox");
});

test("a program is named by the beginning of its text", () => {
  expect(agentText("curl/8.1")).toBe("curl/8.1");
  expect(agentText("x".repeat(200))).toHaveLength(40);
  expect(agentText("")).toBe("unknown program");
});
