/** The audit log, the newest entries first. */
import { dateTime } from "../ui/format.ts";
import { Trouble } from "./FeedFigures.tsx";
import type { OperatorStore } from "./operator.ts";

export function AuditTable({ store }: { store: OperatorStore }) {
  const audit = store.audit.value;
  const nameOf = (userId: string | null | undefined) => (userId ? store.nameOf(userId) : "–");
  return (
    <>
      <h3>Audit log</h3>
      <Trouble part={audit} />
      <button type="button" onClick={() => void store.readAudit()}>
        Read it again
      </button>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
      <section class="scroll" tabIndex={0} aria-label="Audit log">
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Event</th>
              <th scope="col">User</th>
              <th scope="col">By</th>
              <th scope="col">Address</th>
            </tr>
          </thead>
          <tbody>
            {audit.value?.entries.map((one) => (
              <tr key={one.entry_id}>
                <td>{dateTime(one.at)}</td>
                <th scope="row">{one.event.replaceAll("_", " ")}</th>
                <td>{nameOf(one.user_id)}</td>
                <td>{nameOf(one.by)}</td>
                <td title={one.user_agent}>{one.address}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {audit.value?.next && (
        <button type="button" onClick={() => void store.olderAudit()}>
          Older entries
        </button>
      )}
    </>
  );
}
