/** The addresses of the page's views: `/i/KEY` is an instrument, `/l/ID` a watchlist. Pure. */

export type Route =
  | { readonly view: "list"; readonly id: string | null }
  /** `interval` is as the address has it: the view takes its own if there is none. */
  | { readonly view: "instrument"; readonly key: string; readonly interval: string | null };

export interface Address {
  readonly pathname: string;
  readonly search: string;
}

/** The view of an address. The page's first view is that of every unknown one. */
export function routeOf({ pathname, search }: Address): Route {
  const [, folder, name, ...rest] = pathname.split("/");
  const text = name === undefined || rest.length > 0 ? "" : decoded(name);
  if (text !== "" && folder === "i") {
    return { view: "instrument", key: text, interval: new URLSearchParams(search).get("interval") };
  }
  return { view: "list", id: text !== "" && folder === "l" ? text : null };
}

export function addressOf(route: Route): string {
  if (route.view === "list") return route.id === null ? "/" : `/l/${encodeURIComponent(route.id)}`;
  const path = `/i/${encodeURIComponent(route.key)}`;
  return route.interval === null
    ? path
    : `${path}?${new URLSearchParams({ interval: route.interval })}`;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return ""; // an address that somebody typed: the first view is shown
  }
}
