/** A user's watchlists in the browser's storage, and messages between its windows on changes. */
import type { Cancel } from "../clock.ts";
import type { Kept } from "./lists.ts";

const CHANGED = "changed";

export function watchlistsOf(userId: string, storage: Storage) {
  const channel = new BroadcastChannel(`tradedad.watchlists.${userId}`);
  const kept = (name: string): Kept => ({
    read: () => storage.getItem(name),
    write(text) {
      if (text === null) storage.removeItem(name);
      else storage.setItem(name, text);
    },
  });
  return {
    kept: {
      copy: kept(`tradedad.watchlists.${userId}`),
      earlier: kept(`tradedad.watchlist.${userId}`),
      shown: kept(`tradedad.watchlists.shown.${userId}`),
      newId: () => crypto.randomUUID().replaceAll("-", ""),
      tell: () => channel.postMessage(CHANGED),
    },
    listen(receive: () => void): Cancel {
      channel.onmessage = ({ data }: MessageEvent<unknown>) => {
        if (data === CHANGED) receive();
      };
      return () => channel.close();
    },
  };
}
