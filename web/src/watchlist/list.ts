/** Operations on an ordered list of instrument keys, and its form in storage. Pure. */

/** As many as a page paints without effort; a stream may have 5 000. */
export const MOST_KEYS = 250;

export type Keys = readonly string[];

export function added(keys: Keys, key: string): Keys {
  return keys.includes(key) ? keys : [...keys, key];
}

export function removed(keys: Keys, key: string): Keys {
  return keys.filter((one) => one !== key);
}

/** With `key` at `place`, or at the end if the list is shorter; unchanged if it has the key. */
export function inserted(keys: Keys, key: string, place: number): Keys {
  return keys.includes(key) ? keys : [...keys.slice(0, place), key, ...keys.slice(place)];
}

/** `key` by `steps` places down, or up if negative; it stops at the ends. */
export function moved(keys: Keys, key: string, steps: number): Keys {
  const from = keys.indexOf(key);
  return from < 0 ? keys : inserted(removed(keys, key), key, Math.max(from + steps, 0));
}

/** The key that is `steps` below `key`, or the first one if `key` is not in the list. */
export function neighbour(keys: Keys, key: string | null, steps: number): string | null {
  const from = key === null ? -1 : keys.indexOf(key);
  if (from < 0) return keys[0] ?? null;
  return keys[Math.min(Math.max(from + steps, 0), keys.length - 1)] ?? null;
}

/** The keys of a stored list; `null` if it is not one. */
export function readKeys(text: string | null): Keys | null {
  if (text === null) return null;
  try {
    const found: unknown = JSON.parse(text);
    if (!Array.isArray(found) || !found.every((key) => typeof key === "string")) return null;
    return [...new Set(found)].slice(0, MOST_KEYS);
  } catch {
    return null; // as if nothing were stored: the caller says so
  }
}
