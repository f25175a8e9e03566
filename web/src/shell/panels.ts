/** The views beside the trader's desk, by the fragment of the address. Pure. */

export type Panel = "account" | "settings" | "operator";

const PANELS: readonly Panel[] = ["account", "settings", "operator"];

/** The view that an address names, such as `#account`; `null` for the desk. */
export function panelOf(fragment: string): Panel | null {
  return PANELS.find((one) => `#${one}` === fragment) ?? null;
}
