/** Whether the server has a newer page than this tab. It is offered, never forced. */
import { type Fetch, request } from "../api/rest.ts";

declare const __BUILD_ID__: string;

export const BUILD_ID: string = typeof __BUILD_ID__ === "string" ? __BUILD_ID__ : "development";

/** `false` if the server does not say. Throws Refusal or NoAnswer. */
export async function isOutdated(fetch: Fetch, own = BUILD_ID): Promise<boolean> {
  const answer = await request(fetch, "/build.json");
  const { build } = (answer ?? {}) as { build?: unknown };
  return typeof build === "string" && build !== own;
}
