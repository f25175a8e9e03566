/** Data of the operator's page. Each part is read by itself: a failure of one hides no other. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import { sentence } from "../api/problems.ts";
import type { Reauthentication } from "../session/reauthentication.ts";
import type {
  AuditPage,
  FeedLink,
  Figures,
  OperatorCalls,
  Status,
  StoredHistory,
  Switch,
  User,
  UserChange,
  Users,
} from "./operator_calls.ts";

/** A part of the page: what was read last, and why it could not be read again. */
export interface Part<T> {
  readonly value: T | null;
  readonly trouble: string | null;
}

const MOST_EMAILS = 5_000;
const NOTHING = { value: null, trouble: null };

class PartSignal<T> {
  readonly #state = signal<Part<T>>(NOTHING);
  #turn = 0;

  get state(): ReadonlySignal<Part<T>> {
    return this.#state;
  }

  /** Of two reads at the same time the later one counts. */
  async read(load: () => Promise<T>): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    let next: Part<T>;
    try {
      next = { value: await load(), trouble: null };
    } catch (error) {
      next = { value: this.#state.peek().value, trouble: sentence(error) };
    }
    if (turn === this.#turn) this.#state.value = next;
  }
}

export class OperatorStore {
  readonly #calls: OperatorCalls;
  readonly #reauthentication: Pick<Reauthentication, "run">;
  readonly #status = new PartSignal<Status>();
  readonly #figures = new PartSignal<Figures>();
  readonly #history = new PartSignal<StoredHistory>();
  readonly #link = new PartSignal<FeedLink>();
  readonly #switches = new PartSignal<readonly Switch[]>();
  readonly #users = new PartSignal<Users>();
  readonly #audit = new PartSignal<AuditPage>();
  readonly #emails = signal<ReadonlyMap<string, string>>(new Map());
  #prefix = "";

  constructor(calls: OperatorCalls, reauthentication: Pick<Reauthentication, "run">) {
    this.#calls = calls;
    this.#reauthentication = reauthentication;
  }

  get status() {
    return this.#status.state;
  }

  get figures() {
    return this.#figures.state;
  }

  get history() {
    return this.#history.state;
  }

  get link() {
    return this.#link.state;
  }

  get switches() {
    return this.#switches.state;
  }

  get users() {
    return this.#users.state;
  }

  get audit() {
    return this.#audit.state;
  }

  /** The address of an account that was listed before; else its id. */
  nameOf(userId: string): string {
    return this.#emails.value.get(userId) ?? userId;
  }

  /** Read what changes by itself. */
  async refresh(): Promise<void> {
    const calls = this.#calls;
    await Promise.all([
      this.#status.read(() => calls.status()),
      this.#figures.read(() => calls.figures()),
      this.#history.read(() => calls.history()),
      this.#link.read(() => calls.feedLink()),
      this.#switches.read(() => calls.switches()),
    ]);
  }

  /** The accounts whose addresses start with `prefix`, the first page. */
  async search(prefix: string): Promise<void> {
    this.#prefix = prefix;
    await this.#users.read(async () => this.#named(await this.#calls.users(prefix, "")));
  }

  /** The next page of accounts, after the ones that are shown. */
  async moreUsers(): Promise<void> {
    const shown = this.#users.state.peek().value;
    if (shown?.next === undefined || shown.next === null) return;
    const after = shown.next;
    await this.#users.read(async () => {
      const page = this.#named(await this.#calls.users(this.#prefix, after));
      return { ...page, users: [...shown.users, ...page.users] };
    });
  }

  #named(page: Users): Users {
    const found = page.users.map(({ user_id, email }) => [user_id, email] as const);
    this.#emails.value = new Map([...this.#emails.peek(), ...found].slice(-MOST_EMAILS));
    return page;
  }

  async readAudit(): Promise<void> {
    await this.#audit.read(() => this.#calls.audit(""));
  }

  /** The entries before those that are shown. */
  async olderAudit(): Promise<void> {
    const shown = this.#audit.state.peek().value;
    if (shown?.next === undefined || shown.next === null) return;
    const before = shown.next;
    await this.#audit.read(async () => {
      const page = await this.#calls.audit(before);
      return { ...page, entries: [...shown.entries, ...page.entries] };
    });
  }

  /** Disable or enable an account, or end its sessions. Throws what the requests throw. */
  async change(user: User, change: UserChange): Promise<void> {
    await this.#reauthentication.run(() => this.#calls.change(user, change));
    await Promise.all([this.search(this.#prefix), this.readAudit()]);
  }

  /** Stop or allow new orders of all users. Throws what the request throws. */
  async setGlobalSwitch(isOn: boolean, reason: string): Promise<void> {
    await this.#calls.setGlobalSwitch(isOn, reason);
    await this.#switches.read(() => this.#calls.switches());
  }
}
