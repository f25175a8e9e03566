/** The keyboard map: what each key does and where, with the user's changes. The help shows it. */
import { signal } from "@preact/signals-core";

export type Place =
  | "anywhere"
  | "list"
  | "lists"
  | "search"
  | "instrument"
  | "table"
  | "orders"
  | "positions";
export type Action =
  | "search"
  | "help"
  | "down"
  | "up"
  | "first"
  | "last"
  | "page_down"
  | "page_up"
  | "remove"
  | "move_down"
  | "move_up"
  | "previous_list"
  | "next_list"
  | "nth_list"
  | "move_list_left"
  | "move_list_right"
  | "new_list"
  | "rename_list"
  | "remove_list"
  | "choose"
  | "next_result"
  | "previous_result"
  | "leave"
  | "open"
  | "open_window"
  | `interval_${"1m" | "3m" | "5m" | "15m" | "1h" | "1d"}`
  | "next_bar"
  | "previous_bar"
  | "newest_bar"
  | "zoom_in"
  | "zoom_out"
  | "table"
  | "buy"
  | "sell"
  | "open_orders"
  | "orders"
  | "trades"
  | "positions"
  | "holdings"
  | "account"
  | "details"
  | "modify"
  | "cancel"
  | "exit";

export interface Binding {
  readonly place: Place;
  /** `KeyboardEvent.key`, with `Alt+` before it if Alt is held. */
  readonly key: string;
  readonly action: Action;
  readonly meaning: string;
}

export const BINDINGS: readonly Binding[] = [
  { place: "anywhere", key: "/", action: "search", meaning: "search an instrument" },
  { place: "anywhere", key: "?", action: "help", meaning: "show this list" },
  { place: "anywhere", key: "o", action: "open_orders", meaning: "open orders" },
  { place: "anywhere", key: "y", action: "orders", meaning: "all orders of the day" },
  { place: "anywhere", key: "t", action: "trades", meaning: "trades" },
  { place: "anywhere", key: "p", action: "positions", meaning: "positions" },
  { place: "anywhere", key: "h", action: "holdings", meaning: "holdings" },
  { place: "anywhere", key: "f", action: "account", meaning: "funds, limits, kill switch, Upstox" },
  { place: "list", key: "b", action: "buy", meaning: "ticket to buy" },
  { place: "list", key: "s", action: "sell", meaning: "ticket to sell" },
  { place: "list", key: "ArrowDown", action: "down", meaning: "next row" },
  { place: "list", key: "ArrowUp", action: "up", meaning: "row before" },
  { place: "list", key: "Home", action: "first", meaning: "first row" },
  { place: "list", key: "End", action: "last", meaning: "last row" },
  { place: "list", key: "PageDown", action: "page_down", meaning: "ten rows down" },
  { place: "list", key: "PageUp", action: "page_up", meaning: "ten rows up" },
  { place: "list", key: "Alt+ArrowDown", action: "move_down", meaning: "move the row down" },
  { place: "list", key: "Alt+ArrowUp", action: "move_up", meaning: "move the row up" },
  { place: "list", key: "Enter", action: "open", meaning: "open the instrument" },
  { place: "list", key: "Alt+Enter", action: "open_window", meaning: "open it in a new window" },
  { place: "list", key: "Delete", action: "remove", meaning: "remove the row" },
  { place: "list", key: "1…9", action: "nth_list", meaning: "the list at this place" },
  { place: "list", key: "[", action: "previous_list", meaning: "the list before" },
  { place: "list", key: "]", action: "next_list", meaning: "the next list" },
  { place: "lists", key: "ArrowLeft", action: "previous_list", meaning: "the list before" },
  { place: "lists", key: "ArrowRight", action: "next_list", meaning: "the next list" },
  { place: "lists", key: "Alt+ArrowLeft", action: "move_list_left", meaning: "move the list left" },
  {
    place: "lists",
    key: "Alt+ArrowRight",
    action: "move_list_right",
    meaning: "move the list right",
  },
  { place: "lists", key: "Insert", action: "new_list", meaning: "a new list" },
  { place: "lists", key: "F2", action: "rename_list", meaning: "rename the list" },
  { place: "lists", key: "Delete", action: "remove_list", meaning: "remove the list" },
  { place: "table", key: "ArrowDown", action: "down", meaning: "next row" },
  { place: "table", key: "ArrowUp", action: "up", meaning: "row before" },
  { place: "table", key: "Home", action: "first", meaning: "first row" },
  { place: "table", key: "End", action: "last", meaning: "last row" },
  { place: "orders", key: "Enter", action: "details", meaning: "show the order with its events" },
  { place: "orders", key: "m", action: "modify", meaning: "change the order" },
  { place: "orders", key: "c", action: "cancel", meaning: "cancel the order" },
  { place: "positions", key: "x", action: "exit", meaning: "close the position" },
  { place: "positions", key: "b", action: "buy", meaning: "ticket to buy" },
  { place: "positions", key: "s", action: "sell", meaning: "ticket to sell" },
  { place: "search", key: "ArrowDown", action: "next_result", meaning: "next result" },
  { place: "search", key: "ArrowUp", action: "previous_result", meaning: "result before" },
  { place: "search", key: "Enter", action: "choose", meaning: "add the result to the list" },
  { place: "search", key: "Escape", action: "leave", meaning: "back to the list" },
  { place: "instrument", key: "1", action: "interval_1m", meaning: "bars of a minute" },
  { place: "instrument", key: "2", action: "interval_3m", meaning: "bars of 3 minutes" },
  { place: "instrument", key: "3", action: "interval_5m", meaning: "bars of 5 minutes" },
  { place: "instrument", key: "4", action: "interval_15m", meaning: "bars of 15 minutes" },
  { place: "instrument", key: "5", action: "interval_1h", meaning: "bars of an hour" },
  { place: "instrument", key: "6", action: "interval_1d", meaning: "bars of a day" },
  { place: "instrument", key: "ArrowLeft", action: "previous_bar", meaning: "bar before" },
  { place: "instrument", key: "ArrowRight", action: "next_bar", meaning: "next bar" },
  { place: "instrument", key: "End", action: "newest_bar", meaning: "newest bar" },
  { place: "instrument", key: "+", action: "zoom_in", meaning: "fewer, wider bars" },
  { place: "instrument", key: "-", action: "zoom_out", meaning: "more, narrower bars" },
  { place: "instrument", key: "t", action: "table", meaning: "bars as a table" },
  { place: "instrument", key: "Escape", action: "leave", meaning: "back to the list" },
];

/** The keys of the first nine lists. */
export const DIGITS = "1…9";

export interface Pressed {
  readonly key: string;
  readonly altKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
}

/** What the user has changed of the map. */
export interface KeyMap {
  /** Whether keys that are single characters act: off for those who dictate. */
  readonly areCharactersOn: boolean;
  /** Other keys than those of `BINDINGS`, by `bindingId`. */
  readonly keys: Readonly<Record<string, string>>;
}

export const UNCHANGED: KeyMap = { areCharactersOn: true, keys: {} };

/** The map of this window. */
export const keyMap = signal<KeyMap>(UNCHANGED);

export const bindingId = ({ place, action }: Pick<Binding, "place" | "action">): string =>
  `${place}.${action}`;

/** The name of a pressed key in the map: the same with Caps Lock. */
export function keyName({ key, altKey }: Pick<Pressed, "key" | "altKey">): string {
  const plain = key.length === 1 ? key.toLowerCase() : key;
  return altKey ? `Alt+${plain}` : plain;
}

/** The map with the user's changes. */
export function bindings(): readonly Binding[] {
  const { keys } = keyMap.value;
  return BINDINGS.map((one) => ({ ...one, key: keys[bindingId(one)] ?? one.key }));
}

/** What has this key already where the binding acts; `null` if nothing has. */
export function holderOf(binding: Binding, key: string): Binding | null {
  const isNear = (one: Binding) =>
    one.place === binding.place || one.place === "anywhere" || binding.place === "anywhere";
  const isOther = (one: Binding) => bindingId(one) !== bindingId(binding);
  return bindings().find((one) => isOther(one) && isNear(one) && isMeant(one, key)) ?? null;
}

/** What a key does at a place; `null` if it is the browser's. */
export function actionOf(place: Place, pressed: Pressed): Action | null {
  if (pressed.ctrlKey || pressed.metaKey) return null;
  const name = keyName(pressed);
  if (!keyMap.value.areCharactersOn && name.length === 1) return null;
  return bindings().find((one) => one.place === place && isMeant(one, name))?.action ?? null;
}

const isMeant = (binding: Binding, key: string): boolean =>
  binding.key === key || (binding.key === DIGITS && /^[1-9]$/.test(key));
