/** Applies the preferences to the page, and keeps them in this browser. */
import { effect, type Signal, signal } from "@preact/signals-core";
import { keyMap } from "./keys.ts";
import { type Preferences, readPreferences } from "./preferences.ts";

const KEPT = "tradedad.preferences";

/** The user's preferences; a change is applied to `root` and kept. */
export function keptPreferences(
  storage: Storage,
  root: HTMLElement,
  report: (trouble: unknown) => void,
): Signal<Preferences> {
  const preferences = signal(readPreferences(storage.getItem(KEPT)));
  let isFirst = true;
  effect(() => {
    const { theme, colours, motion, keyMap: map } = preferences.value;
    root.dataset["theme"] = theme;
    root.dataset["colours"] = colours;
    root.dataset["motion"] = motion;
    keyMap.value = map;
    if (!isFirst) keep(storage, preferences.value, report);
    isFirst = false;
  });
  // Another window has changed them.
  window.addEventListener("storage", ({ key, newValue }) => {
    if (key === KEPT) preferences.value = readPreferences(newValue);
  });
  return preferences;
}

function keep(storage: Storage, preferences: Preferences, report: (trouble: unknown) => void) {
  const text = JSON.stringify(preferences);
  if (storage.getItem(KEPT) === text) return;
  try {
    storage.setItem(KEPT, text);
  } catch (error) {
    report(error);
  }
}
