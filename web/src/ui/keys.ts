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

/** The names of the places, in the order of the help. */
export const PLACES: Readonly<Record<Place, string>> = {
  anywhere: "anywhere",
  list: "watchlist",
  lists: "names of the watchlists",
  table: "tables of orders and positions",
  orders: "an order",
  positions: "a position or holding",
  search: "search",
  instrument: "instrument",
};

export interface Binding {
  readonly place: Place;
  /** `KeyboardEvent.key`, with `Alt+` before it if Alt is held. */
  readonly key: string;
  readonly action: Action;
  readonly meaning: string;
}

/** Tuples, as the names of fields would be sent with each. */
const KEYS: Readonly<Record<Place, readonly (readonly [string, Action, string])[]>> = {
  anywhere: [
    ["/", "search", "search an instrument"],
    ["?", "help", "show this list"],
    ["o", "open_orders", "open orders"],
    ["y", "orders", "all orders of the day"],
    ["t", "trades", "trades"],
    ["p", "positions", "positions"],
    ["h", "holdings", "holdings"],
    ["f", "account", "funds, limits, kill switch, Upstox"],
  ],
  list: [
    ["b", "buy", "ticket to buy"],
    ["s", "sell", "ticket to sell"],
    ["ArrowDown", "down", "next row"],
    ["ArrowUp", "up", "row before"],
    ["Home", "first", "first row"],
    ["End", "last", "last row"],
    ["PageDown", "page_down", "ten rows down"],
    ["PageUp", "page_up", "ten rows up"],
    ["Alt+ArrowDown", "move_down", "move the row down"],
    ["Alt+ArrowUp", "move_up", "move the row up"],
    ["Enter", "open", "open the instrument"],
    ["Alt+Enter", "open_window", "open it in a new window"],
    ["Delete", "remove", "remove the row"],
    ["1…9", "nth_list", "the list at this place"],
    ["[", "previous_list", "the list before"],
    ["]", "next_list", "the next list"],
  ],
  lists: [
    ["ArrowLeft", "previous_list", "the list before"],
    ["ArrowRight", "next_list", "the next list"],
    ["Alt+ArrowLeft", "move_list_left", "move the list left"],
    ["Alt+ArrowRight", "move_list_right", "move the list right"],
    ["Insert", "new_list", "a new list"],
    ["F2", "rename_list", "rename the list"],
    ["Delete", "remove_list", "remove the list"],
  ],
  table: [
    ["ArrowDown", "down", "next row"],
    ["ArrowUp", "up", "row before"],
    ["Home", "first", "first row"],
    ["End", "last", "last row"],
  ],
  orders: [
    ["Enter", "details", "show the order with its events"],
    ["m", "modify", "change the order"],
    ["c", "cancel", "cancel the order"],
  ],
  positions: [
    ["x", "exit", "close the position"],
    ["b", "buy", "ticket to buy"],
    ["s", "sell", "ticket to sell"],
  ],
  search: [
    ["ArrowDown", "next_result", "next result"],
    ["ArrowUp", "previous_result", "result before"],
    ["Enter", "choose", "add the result to the list"],
    ["Escape", "leave", "back to the list"],
  ],
  instrument: [
    ["1", "interval_1m", "bars of a minute"],
    ["2", "interval_3m", "bars of 3 minutes"],
    ["3", "interval_5m", "bars of 5 minutes"],
    ["4", "interval_15m", "bars of 15 minutes"],
    ["5", "interval_1h", "bars of an hour"],
    ["6", "interval_1d", "bars of a day"],
    ["b", "buy", "ticket to buy"],
    ["s", "sell", "ticket to sell"],
    ["ArrowLeft", "previous_bar", "bar before"],
    ["ArrowRight", "next_bar", "next bar"],
    ["End", "newest_bar", "newest bar"],
    ["+", "zoom_in", "fewer, wider bars"],
    ["-", "zoom_out", "more, narrower bars"],
    ["t", "table", "bars as a table"],
    ["Escape", "leave", "back to the list"],
  ],
};

export const BINDINGS: readonly Binding[] = Object.entries(KEYS).flatMap(([place, keys]) =>
  keys.map(([key, action, meaning]) => ({ place: place as Place, key, action, meaning })),
);

/** The keys of the first nine lists. */
export const DIGITS = "1…9";

export interface Pressed {
  readonly key: string;
  readonly altKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
}

/** The user's changes of the map. */
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

/** Another binding of this key where `binding` acts; `null` if there is none. */
export function holderOf(binding: Binding, key: string): Binding | null {
  const isNear = (one: Binding) =>
    one.place === binding.place || one.place === "anywhere" || binding.place === "anywhere";
  const isOther = (one: Binding) => bindingId(one) !== bindingId(binding);
  return bindings().find((one) => isOther(one) && isNear(one) && isMeant(one, key)) ?? null;
}

/** The action of a key at a place; `null` if it is the browser's. */
export function actionOf(place: Place, pressed: Pressed): Action | null {
  if (pressed.ctrlKey || pressed.metaKey) return null;
  const name = keyName(pressed);
  if (!keyMap.value.areCharactersOn && name.length === 1) return null;
  return bindings().find((one) => one.place === place && isMeant(one, name))?.action ?? null;
}

const isMeant = (binding: Binding, key: string): boolean =>
  binding.key === key || (binding.key === DIGITS && /^[1-9]$/.test(key));
