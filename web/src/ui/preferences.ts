/** How the page looks and which keys it has, as this browser keeps it. Pure. */
import type { KeyMap } from "./keys.ts";
import { UNCHANGED } from "./keys.ts";

export type Theme = "system" | "light" | "dark";
export type Colours = "red_green" | "blue_orange";
export type Motion = "system" | "reduced";

export interface Preferences {
  readonly theme: Theme;
  readonly colours: Colours;
  readonly motion: Motion;
  readonly keyMap: KeyMap;
}

export const DEFAULTS: Preferences = {
  theme: "system",
  colours: "red_green",
  motion: "system",
  keyMap: UNCHANGED,
};
const MOST_KEYS = 100;
const MOST_KEY_CHARS = 20;

function oneOf<T>(value: unknown, allowed: readonly T[], otherwise: T): T {
  return allowed.includes(value as T) ? (value as T) : otherwise;
}

function readKeyMap(value: unknown): KeyMap {
  if (typeof value !== "object" || value === null) return UNCHANGED;
  const { areCharactersOn, keys } = value as Record<string, unknown>;
  const pairs = typeof keys === "object" && keys !== null ? Object.entries(keys) : [];
  const isKey = (pair: [string, unknown]): pair is [string, string] =>
    typeof pair[1] === "string" && pair[1] !== "" && pair[1].length <= MOST_KEY_CHARS;
  return {
    areCharactersOn: areCharactersOn !== false,
    keys: Object.fromEntries(pairs.filter(isKey).slice(0, MOST_KEYS)),
  };
}

/** The kept preferences; what is not valid is as if it were not kept. */
export function readPreferences(text: string | null): Preferences {
  let found: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(text ?? "{}");
    if (typeof parsed === "object" && parsed !== null) found = { ...parsed };
  } catch {
    // as if nothing were kept: the defaults follow
  }
  return {
    theme: oneOf(found["theme"], ["system", "light", "dark"], DEFAULTS.theme),
    colours: oneOf(found["colours"], ["red_green", "blue_orange"], DEFAULTS.colours),
    motion: oneOf(found["motion"], ["system", "reduced"], DEFAULTS.motion),
    keyMap: readKeyMap(found["keyMap"]),
  };
}
