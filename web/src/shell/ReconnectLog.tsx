/** How often the connection was lost since the page was loaded, and why. */
import type { Reconnect } from "../stream/stream.ts";
import { timeOfDay } from "../ui/format.ts";

export function ReconnectLog({ reconnects }: { reconnects: readonly Reconnect[] }) {
  if (reconnects.length === 0) return null;
  return (
    <details class="reconnects">
      <summary>
        {reconnects.length === 1 ? "1 reconnect" : `${reconnects.length} reconnects`}
      </summary>
      <ol>
        {reconnects.map(({ atMs, reason }) => (
          <li key={atMs}>
            {timeOfDay(atMs)} {reason}
          </li>
        ))}
      </ol>
    </details>
  );
}
