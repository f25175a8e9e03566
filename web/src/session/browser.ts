/** The browser's part of a session: a lock and messages between tabs. */
import type { Tabs } from "./session.ts";

const NAME = "tradedad.session";
const ACQUIRE_MS = 5_000;

/** Runs `work` while no other tab does. A tab that hangs with the lock delays this one by 5 s only. */
export async function exclusively<T>(
  locks: LockManager | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (locks === undefined) return work();
  let isEntered = false;
  const options = { signal: AbortSignal.timeout(ACQUIRE_MS) };
  try {
    return await locks.request(NAME, options, () => {
      isEntered = true;
      return work();
    });
  } catch (error) {
    if (isEntered) throw error;
    return work();
  }
}

/** The tabs of this origin. Other messages on the channel are ignored. */
export function otherTabs(): Tabs {
  const channel = new BroadcastChannel(NAME);
  return {
    tell: (message) => channel.postMessage(message),
    listen(receive) {
      channel.onmessage = ({ data }: MessageEvent<unknown>) => {
        if (data === "logged_in" || data === "logged_out") receive(data);
      };
    },
  };
}
