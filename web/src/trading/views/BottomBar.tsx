/** The places of a phone: one is shown at a time. */
import type { Desk } from "../../desk/desk.ts";
import { isOpen } from "../messages.ts";
import type { Tab } from "../screens.ts";

const PLACES: readonly (readonly [Tab | null, string])[] = [
  [null, "Watchlist"],
  ["open", "Orders"],
  ["positions", "Positions"],
  ["account", "Account"],
];

interface BottomBarProps {
  readonly desk: Desk;
  /** Leave the instrument that is shown in place of the list. */
  readonly onList: () => void;
  /** Leave the panel that is shown in place of all; there is none if this is missing. */
  readonly onLeave?: () => void;
}

export function BottomBar({ desk, onList, onLeave }: BottomBarProps) {
  const { accounts, account, screens } = desk.trading;
  const place = screens.place.value;
  const tab = screens.tab.value;
  const openOrders = accounts.book(account.value).value.orders.filter(isOpen).length;
  const isAt = (one: Tab | null): boolean =>
    one === null ? place === "market" : place === "trading" && tab === one;
  const show = (one: Tab | null) => {
    onLeave?.();
    if (one !== null) {
      // "Back" leaves the place, not the page.
      if (place === "market") history.pushState(one, "");
      return screens.show(one);
    }
    screens.showMarket();
    onList();
  };
  return (
    <nav class="bottom-bar" aria-label="Places">
      {PLACES.map(([one, title]) => (
        <button
          key={title}
          type="button"
          aria-current={onLeave === undefined && isAt(one) ? "page" : undefined}
          onClick={() => show(one)}
        >
          {title}
          {one === "open" && openOrders > 0 && ` ${openOrders}`}
        </button>
      ))}
    </nav>
  );
}
