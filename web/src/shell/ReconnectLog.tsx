/** How often the connection was lost today (in India), and why. */
import type { Reconnect } from "../stream/reconnects.ts";
import { timeOfDay } from "../ui/format.ts";

export function ReconnectLog({ reconnects }: { reconnects: readonly Reconnect[] }) {
  if (reconnects.length === 0) return null;
  return (
    <details class="reconnects">
      <summary>
        {reconnects.length === 1 ? "1 reconnect" : `${reconnects.length} reconnects`}
      </summary>
      <ol>
        {reconnects.map(({ at_ms, reason }) => (
          <li key={at_ms}>
            {timeOfDay(at_ms)} {reason}
          </li>
        ))}
      </ol>
    </details>
  );
}
