/** The requests of administrators. */
import type { components as auth } from "../api/auth.gen.ts";
import type { Client } from "../api/client.ts";
import type { components as gateway } from "../api/gateway.gen.ts";

export type User = Readonly<auth["schemas"]["UserBody"]>;
export type Users = Readonly<auth["schemas"]["Users"]>;
export type AuditPage = Readonly<auth["schemas"]["AuditLogPage"]>;
export type Figures = Readonly<gateway["schemas"]["Figures"]>;
export type StoredHistory = Readonly<gateway["schemas"]["StoredHistory"]>;
export type Status = Readonly<gateway["schemas"]["Status"]>;
export type Switch = Readonly<gateway["schemas"]["Switch"]>;
export type FeedLink = Readonly<gateway["schemas"]["LinkView"]>;
type Switches = gateway["schemas"]["Switches"];

const USERS_PER_PAGE = 50;
const ENTRIES_PER_PAGE = 50;

export type UserChange = "disable" | "enable" | "revoke";

export class OperatorCalls {
  readonly #call: Client["call"];

  constructor(call: Client["call"]) {
    this.#call = call;
  }

  async status(): Promise<Status> {
    return (await this.#call("/v1/status")) as Status;
  }

  async figures(): Promise<Figures> {
    return (await this.#call("/v1/admin/gateway")) as Figures;
  }

  async history(): Promise<StoredHistory> {
    return (await this.#call("/v1/admin/history")) as StoredHistory;
  }

  /** The operator's own link to Upstox, whose token the feed uses. */
  async feedLink(): Promise<FeedLink> {
    return (await this.#call("/v1/link/upstox", { query: { purpose: "feed" } })) as FeedLink;
  }

  async users(prefix: string, after: string): Promise<Users> {
    const query = { prefix: prefix.trim().toLowerCase(), after, limit: USERS_PER_PAGE };
    return (await this.#call("/auth/admin/users", { query })) as Users;
  }

  async change(user: User, change: UserChange): Promise<void> {
    const path = `/auth/admin/users/${encodeURIComponent(user.user_id)}/${change}`;
    await this.#call(path, { method: "POST" });
  }

  async audit(before: string): Promise<AuditPage> {
    const query = { before, limit: ENTRIES_PER_PAGE };
    return (await this.#call("/auth/admin/audit", { query })) as AuditPage;
  }

  async switches(): Promise<readonly Switch[]> {
    return ((await this.#call("/v1/admin/kill-switch")) as Switches).switches;
  }

  async setGlobalSwitch(isOn: boolean, reason: string): Promise<void> {
    const body = { is_on: isOn, reason };
    await this.#call("/v1/admin/kill-switch/global", { method: "PUT", body });
  }
}
