/** The page's colours for a canvas, which cannot use variables of style sheets. */

const NAMES = [
  "page",
  "row",
  "text",
  "muted",
  "up",
  "down",
  "accent",
  "stale",
  "line",
  "border",
  "buy",
  "sell",
] as const;
export type Colours = Readonly<Record<(typeof NAMES)[number], string>>;

/** The colours of an element, in the theme that it is shown in. */
export function coloursOf(element: HTMLElement): Colours {
  const probe = document.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const found = NAMES.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(found) as Colours;
}

/** Call `work` when the theme changes, by the user or the system, until the result is called. */
export function onTheme(work: () => void): () => void {
  const observer = new MutationObserver(work);
  observer.observe(document.documentElement, { attributes: true });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", work);
  return () => {
    observer.disconnect();
    system.removeEventListener("change", work);
  };
}
