/** The watchlists of a server, and texts that a browser keeps, in memory. */
import { NoAnswer, Refusal } from "../api/problems.ts";
import type { ListCalls } from "../watchlist/list_calls.ts";
import type { Kept } from "../watchlist/lists.ts";
import type { SavedList, SavedLists } from "../watchlist/saved_list.ts";

export class MemoryText implements Kept {
  text: string | null;
  isFull = false;

  constructor(text: string | null = null) {
    this.text = text;
  }

  read(): string | null {
    return this.text;
  }

  write(text: string | null): void {
    if (this.isFull) throw new Error("full");
    this.text = text;
  }
}

/** Refuses as auth does. `beforeSave` runs once, before the next change is stored. */
export class ListServer implements ListCalls {
  lists: SavedLists = [];
  isAway = false;
  requests = 0;
  beforeSave: (() => void) | null = null;

  async read(): Promise<SavedLists> {
    this.#answer();
    return this.lists;
  }

  async save(list: SavedList): Promise<SavedList> {
    this.#answer();
    this.#race();
    const found = this.#checked(list);
    const next = { ...list, revision: list.revision + 1 };
    this.lists =
      found === undefined
        ? [...this.lists, next]
        : this.lists.map((one) => (one === found ? next : one));
    return next;
  }

  async remove(list: SavedList): Promise<void> {
    this.#answer();
    this.#race();
    const found = this.#checked(list);
    this.lists = this.lists.filter((one) => one !== found);
  }

  async order(ids: readonly string[]): Promise<SavedLists> {
    this.#answer();
    const own = this.lists.map((one) => one.list_id);
    if ([...ids].sort().join() !== own.sort().join()) throw stale();
    this.lists = ids.flatMap((id) => this.lists.filter((one) => one.list_id === id));
    return this.lists;
  }

  #answer(): void {
    this.requests += 1;
    if (this.isAway) throw new NoAnswer("away");
  }

  #race(): void {
    const race = this.beforeSave;
    this.beforeSave = null;
    race?.();
  }

  #checked({ list_id, revision }: SavedList): SavedList | undefined {
    const found = this.lists.find((one) => one.list_id === list_id);
    if (found !== undefined && found.revision !== revision) throw stale();
    if (found === undefined && revision > 0) {
      throw new Refusal(404, "not_found", "this watchlist was removed");
    }
    return found;
  }
}

const stale = () => new Refusal(409, "stale_revision", "changed elsewhere");
