/** The elements that keys move the focus to. */

export const GRID = "watchlist";
export const SEARCH = "search";
export const INSTRUMENT = "instrument";
export const TRADING_TABLE = "trading-table";

export function focusOn(id: string): void {
  document.getElementById(id)?.focus();
}
