/** The user's watchlists as the server stores them, and their edits. Pure. */
import type { components } from "../api/auth.gen.ts";
import { type Keys, MOST_KEYS } from "./list.ts";

/** A list as the server has it; of one that is not stored yet, the revision is 0. */
export type SavedList = Readonly<components["schemas"]["WatchlistBody"]>;
export type SavedLists = readonly SavedList[];

export const MOST_LISTS = 20;
export const MOST_NAME_CHARS = 40;
const FIRST_ID = "main";

export const START: Keys = [
  "NSE_INDEX|Nifty 50",
  "NSE_INDEX|Nifty Bank",
  "NSE_EQ|INE002A01018",
  "NSE_EQ|INE040A01034",
  "NSE_EQ|INE009A01021",
  "NSE_EQ|INE467B01029",
];

/** The lists of a user without stored lists: they are stored with the first edit. */
export function firstLists(keys: Keys = START): SavedLists {
  return [{ list_id: FIRST_ID, name: "Watchlist", keys: [...keys], revision: 0 }];
}

/** One edit by the user. It is made again if the list has changed elsewhere meanwhile. */
export type Edit =
  | { readonly kind: "name"; readonly id: string; readonly name: string }
  | { readonly kind: "keys"; readonly id: string; readonly change: (keys: Keys) => Keys }
  | { readonly kind: "create"; readonly id: string; readonly name: string; readonly keys: Keys }
  | { readonly kind: "remove"; readonly id: string }
  | { readonly kind: "move"; readonly id: string; readonly steps: number };

/** The list that an edit of name, keys or existence makes; `null` if there is none to edit. */
export function edited(lists: SavedLists, edit: Edit): SavedList | null {
  const found = lists.find((one) => one.list_id === edit.id) ?? null;
  if (edit.kind === "create") {
    const { id, name, keys } = edit;
    return found ?? { list_id: id, name, keys: [...keys], revision: 0 };
  }
  if (found === null) return null;
  if (edit.kind === "name") return { ...found, name: edit.name };
  if (edit.kind === "keys") {
    return { ...found, keys: edit.change(found.keys).slice(0, MOST_KEYS) };
  }
  return found;
}

/** `lists` with `list` in the place of the one with its id, or at the end. */
export function replaced(lists: SavedLists, list: SavedList): SavedLists {
  const isNew = lists.every((one) => one.list_id !== list.list_id);
  return isNew ? [...lists, list] : lists.map((one) => (one.list_id === list.list_id ? list : one));
}

/** The ids in the order that a move makes. */
export function order(lists: SavedLists, id: string, steps: number): readonly string[] {
  const ids = lists.map((one) => one.list_id);
  const from = ids.indexOf(id);
  if (from < 0) return ids;
  const rest = ids.filter((one) => one !== id);
  const to = Math.min(Math.max(from + steps, 0), rest.length);
  return [...rest.slice(0, to), id, ...rest.slice(to)];
}

/** How the lists look once the edit is stored. */
export function applied(lists: SavedLists, edit: Edit): SavedLists {
  if (edit.kind === "remove") return lists.filter((one) => one.list_id !== edit.id);
  if (edit.kind === "move") {
    const ids = order(lists, edit.id, edit.steps);
    return [...lists].sort((a, b) => ids.indexOf(a.list_id) - ids.indexOf(b.list_id));
  }
  const list = edited(lists, edit);
  return list === null ? lists : replaced(lists, list);
}

/** Lists that were kept in the browser; `null` if the text is not such lists. */
export function readLists(text: string | null): SavedLists | null {
  if (text === null) return null;
  try {
    const found: unknown = JSON.parse(text);
    return Array.isArray(found) && found.length > 0 && found.every(isList) ? found : null;
  } catch {
    return null; // as if nothing were kept: the server has them
  }
}

function isList(value: unknown): value is SavedList {
  if (typeof value !== "object" || value === null) return false;
  const { list_id, name, keys, revision } = value as Record<string, unknown>;
  return (
    typeof list_id === "string" &&
    typeof name === "string" &&
    Number.isInteger(revision) &&
    Array.isArray(keys) &&
    keys.every((key) => typeof key === "string")
  );
}
