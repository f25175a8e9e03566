/** Accounts: search, disable, enable, end sessions. */
import { dateTime } from "../ui/format.ts";
import { Trouble } from "./FeedFigures.tsx";
import type { OperatorStore } from "./operator.ts";
import type { User, UserChange } from "./operator_calls.ts";

interface UserTableProps {
  readonly store: OperatorStore;
  readonly attempt: (work: () => Promise<void>) => Promise<void>;
}

export function UserTable({ store, attempt }: UserTableProps) {
  const users = store.users.value;
  return (
    <>
      <h3>Users</h3>
      <form onSubmit={(event) => event.preventDefault()}>
        <label>
          Beginning of the e-mail address
          <input
            type="text"
            maxLength={254}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => void store.search(event.currentTarget.value)}
          />
        </label>
      </form>
      <Trouble part={users} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
      <section class="scroll" tabIndex={0} aria-label="Users">
        <table>
          <thead>
            <tr>
              <th scope="col">E-mail</th>
              <th scope="col">Roles</th>
              <th scope="col">Signed up</th>
              <th scope="col">Last login</th>
              <th scope="col">Change</th>
            </tr>
          </thead>
          <tbody>
            {users.value?.users.map((one) => (
              <UserRow
                key={one.user_id}
                user={one}
                onChange={(change) => void attempt(() => store.change(one, change))}
              />
            ))}
          </tbody>
        </table>
      </section>
      {users.value?.users.length === 0 && <p class="muted">No address begins like that.</p>}
      {users.value?.next && (
        <button type="button" onClick={() => void store.moreUsers()}>
          More users
        </button>
      )}
    </>
  );
}

function UserRow({ user, onChange }: { user: User; onChange: (change: UserChange) => void }) {
  const isDisabled = user.disabled_at !== undefined && user.disabled_at !== null;
  return (
    <tr>
      <th scope="row">{user.email}</th>
      <td>{user.roles.join(", ")}</td>
      <td>{dateTime(user.created_at)}</td>
      <td>{dateTime(user.last_login_at)}</td>
      <td>
        <div class="buttons">
          {isDisabled && <span>disabled since {dateTime(user.disabled_at)}</span>}
          <button type="button" onClick={() => onChange(isDisabled ? "enable" : "disable")}>
            {isDisabled ? "Enable" : "Disable"}
            <span class="unseen"> {user.email}</span>
          </button>
          <button type="button" onClick={() => onChange("revoke")}>
            End sessions
            <span class="unseen"> of {user.email}</span>
          </button>
        </div>
      </td>
    </tr>
  );
}
