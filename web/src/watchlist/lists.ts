/** The user's watchlists: an edit is shown at once and stored in the background, one after the other. */
import { batch, computed, type ReadonlySignal, signal } from "@preact/signals-core";
import { Declined, Refusal, sentence } from "../api/problems.ts";
import { type Keys, readKeys } from "./list.ts";
import type { ListCalls } from "./list_calls.ts";
import {
  applied,
  type Edit,
  edited,
  firstLists,
  MOST_LISTS,
  order,
  readLists,
  replaced,
  type SavedLists,
  START,
} from "./saved_list.ts";

/** A text that the browser keeps for this user. */
export interface Kept {
  read(): string | null;
  /** May fail, for example in a private window. */
  write(text: string | null): void;
}

export interface ListsPorts {
  readonly calls: ListCalls;
  /** The lists as they were read last: shown until the server answers, or while it is away. */
  readonly copy: Kept;
  /** The one list of earlier versions of the page. */
  readonly earlier: Kept;
  /** Tells the other windows of this browser that the lists have changed. */
  readonly tell: () => void;
  readonly report: (trouble: unknown) => void;
}

const MOST_EDITS = 200;
const MOST_TRIES = 4;
const SERVER_ERROR = 500;
const IMPORTED = ["imported", "imported-2", "imported-3"];

export class Lists {
  readonly #ports: ListsPorts;
  readonly #saved = signal<SavedLists>(firstLists());
  readonly #edits = signal<readonly Edit[]>([]);
  readonly #all = computed(() => this.#edits.value.reduce(applied, this.#saved.value));
  readonly #isStoring = computed(() => this.#edits.value.length > 0);
  #working: Promise<void> | null = null;
  #mustRead = false;

  constructor(ports: ListsPorts) {
    this.#ports = ports;
    this.#saved.value = readLists(ports.copy.read()) ?? this.#saved.peek();
  }

  /** The lists as the user wants them, in their order. Never empty. */
  get all(): ReadonlySignal<SavedLists> {
    return this.#all;
  }

  /** Whether an edit is not stored yet. */
  get isStoring(): ReadonlySignal<boolean> {
    return this.#isStoring;
  }

  /** Read the lists: at the start, when another window has changed them, after a reconnect. */
  refresh(): Promise<void> {
    this.#mustRead = true;
    return this.#work();
  }

  /** Show an edit, and store it; what cannot be stored is taken back, and the user is told. */
  edit(edit: Edit): Promise<void> {
    const all = this.#all.peek();
    if (edit.kind === "remove" && all.length === 1) {
      return this.#refuse("The last watchlist cannot be removed.");
    }
    if (edit.kind === "create" && all.length >= MOST_LISTS) {
      return this.#refuse(`There can be ${MOST_LISTS} watchlists at most.`);
    }
    if (this.#edits.peek().length >= MOST_EDITS) {
      return this.#refuse("Too many changes wait for the server.");
    }
    this.#edits.value = [...this.#edits.peek(), edit];
    return this.#work();
  }

  #refuse(text: string): Promise<void> {
    this.#ports.report(new Declined(text));
    return Promise.resolve();
  }

  #work(): Promise<void> {
    this.#working ??= this.#run().finally(() => {
      this.#working = null;
    });
    return this.#working;
  }

  async #run(): Promise<void> {
    while (this.#mustRead || this.#edits.peek().length > 0) {
      try {
        if (this.#mustRead) await this.#read();
        else await this.#storeFirst();
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  async #read(): Promise<void> {
    this.#mustRead = false;
    const found = await this.#ports.calls.read();
    this.#take(found.length === 0 ? firstLists() : found);
    await this.#import(found.length === 0);
  }

  /** Store the first edit, with those after it that change the same list. */
  async #storeFirst(): Promise<void> {
    const [first, ...rest] = this.#edits.peek();
    if (first === undefined) return;
    const others = rest.findIndex(
      (one) => !isContent(first) || !isContent(one) || one.id !== first.id,
    );
    const together = [first, ...(others < 0 ? rest : rest.slice(0, others))];
    for (let attempt = 1; ; attempt += 1) {
      try {
        const saved = await this.#store(together);
        batch(() => {
          this.#edits.value = this.#edits.peek().slice(together.length);
          this.#take(saved);
        });
        this.#ports.tell();
        return;
      } catch (error) {
        if (!isStale(error) || attempt === MOST_TRIES) throw error;
        // Changed elsewhere: the same edits are made to what is there now.
        this.#take(await this.#ports.calls.read());
      }
    }
  }

  async #store(edits: readonly Edit[]): Promise<SavedLists> {
    const { calls } = this.#ports;
    const [first] = edits as [Edit];
    const last = edits.at(-1) ?? first;
    const saved = await this.#storeOthers(first.id);
    if (first.kind === "move") return calls.order(order(saved, first.id, first.steps));
    const list = edited(edits.slice(0, -1).reduce(applied, saved), last);
    if (first.kind !== "remove") {
      if (list === null) throw new Declined("It was removed elsewhere.");
      return replaced(saved, await calls.save(list));
    }
    if (list !== null && list.revision > 0) await calls.remove(list);
    return saved.filter((one) => one.list_id !== first.id);
  }

  /** The list that a user has at first is stored before there is another one. */
  async #storeOthers(id: string): Promise<SavedLists> {
    let saved = this.#saved.peek();
    for (const list of saved) {
      if (list.revision > 0 || list.list_id === id) continue;
      saved = replaced(saved, await this.#ports.calls.save(list));
      this.#take(saved);
    }
    return saved;
  }

  /** Take over the list of earlier versions of the page, once. */
  async #import(isFirst: boolean): Promise<void> {
    const { calls, earlier, tell } = this.#ports;
    const keys = readKeys(earlier.read());
    if (keys === null) return;
    if (keys.join() !== START.join()) await this.#importKeys(keys, isFirst, calls);
    earlier.write(null);
    tell();
  }

  async #importKeys(keys: Keys, isFirst: boolean, calls: ListCalls): Promise<void> {
    const [own] = firstLists(keys);
    if (own === undefined) return;
    const imported = IMPORTED.map((list_id) => ({ ...own, list_id, name: "From this browser" }));
    for (const list of isFirst ? [own, ...imported] : imported) {
      try {
        this.#take(replaced(this.#saved.peek(), await calls.save(list)));
        return;
      } catch (error) {
        if (!isStale(error)) throw error; // another browser has imported a list under this id
      }
    }
  }

  #take(lists: SavedLists): void {
    this.#saved.value = lists.length === 0 ? firstLists() : lists;
    try {
      this.#ports.copy.write(JSON.stringify(this.#saved.peek()));
    } catch (error) {
      this.#ports.report(error);
    }
  }

  /** All edits that wait are taken back: they are based on the one that failed. */
  #fail(error: unknown): void {
    const hadEdits = this.#edits.peek().length > 0;
    this.#edits.value = [];
    if (!hadEdits) {
      this.#ports.report(error);
      return;
    }
    this.#ports.report(
      new Declined(`The change of the watchlist was not stored. ${sentence(error)}`),
    );
    // While the server is away, the lists are read after the reconnect.
    if (error instanceof Refusal && error.status < SERVER_ERROR) this.#mustRead = true;
  }
}

const isContent = (edit: Edit): boolean => edit.kind === "name" || edit.kind === "keys";

const isStale = (error: unknown): boolean =>
  error instanceof Refusal && error.code === "stale_revision";
