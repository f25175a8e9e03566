/** The watchlist that is shown: its keys, their names, the selected one, and the subscriptions to them. */
import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import { Declined } from "../api/problems.ts";
import { added, inserted, type Keys, MOST_KEYS, moved, neighbour, removed } from "./list.ts";
import type { Kept, Lists } from "./lists.ts";
import { MOST_NAME_CHARS, type SavedList } from "./saved_list.ts";

export interface InstrumentName {
  readonly key: string;
  readonly symbol: string;
  readonly name: string;
  readonly segment: string;
}

export interface WatchlistPorts {
  readonly lists: Lists;
  /** The id of the list that was shown last. */
  readonly shown: Kept;
  readonly newId: () => string;
  readonly follow: (keys: Keys) => void;
  readonly unfollow: (keys: Keys) => void;
  readonly namesOf: (keys: Keys) => Promise<readonly InstrumentName[]>;
  /** Tell the user of something that went wrong. */
  readonly report: (trouble: unknown) => void;
}

/** The instrument that was removed last, and its place in its list. */
interface Removed {
  readonly list: string;
  readonly key: string;
  readonly place: number;
}

const NONE: SavedList = { list_id: "", name: "", keys: [], revision: 0 };

export class Watchlist {
  readonly #ports: WatchlistPorts;
  readonly #shownId: Signal<string | null>;
  readonly #selected = signal<string | null>(null);
  readonly #names = signal<ReadonlyMap<string, InstrumentName>>(new Map());
  readonly #removed = signal<Removed | null>(null);
  readonly #list = computed<SavedList>(() => {
    const all = this.#ports.lists.all.value;
    return all.find((one) => one.list_id === this.#shownId.value) ?? all[0] ?? NONE;
  });
  readonly #restorable = computed(() => {
    const last = this.#removed.value;
    return last?.list === this.#list.value.list_id ? last.key : null;
  });
  readonly #keys = computed<Keys>(() => this.#list.value.keys);
  #followed: Keys = [];
  #stop: () => void = () => {};

  constructor(ports: WatchlistPorts) {
    this.#ports = ports;
    this.#shownId = signal(ports.shown.read());
  }

  /** All lists of the user, in their order. */
  get lists(): ReadonlySignal<readonly SavedList[]> {
    return this.#ports.lists.all;
  }

  /** Whether an edit is not stored yet: a window that is closed now would lose it. */
  get isStoring(): ReadonlySignal<boolean> {
    return this.#ports.lists.isStoring;
  }

  /** The list that is shown. */
  get list(): ReadonlySignal<SavedList> {
    return this.#list;
  }

  get keys(): ReadonlySignal<Keys> {
    return this.#keys;
  }

  get selected(): ReadonlySignal<string | null> {
    return this.#selected;
  }

  /** The key that `restore` puts back into the shown list. */
  get removed(): ReadonlySignal<string | null> {
    return this.#restorable;
  }

  get names(): ReadonlySignal<ReadonlyMap<string, InstrumentName>> {
    return this.#names;
  }

  /** Show the list, follow its instruments, and read the lists of the server. */
  async open(): Promise<void> {
    this.#stop = effect(() => this.#followOnly(this.#keys.value));
    await this.#ports.lists.refresh();
  }

  close(): void {
    this.#stop();
    this.#followOnly([]);
  }

  /** The lists may have changed elsewhere, and names that could not be read can be now. */
  refresh(): void {
    this.#readNames(this.#followed);
    void this.#ports.lists.refresh();
  }

  add(instrument: InstrumentName): void {
    const keys = this.#keys.peek();
    this.#selected.value = instrument.key;
    if (keys.includes(instrument.key)) return;
    if (keys.length >= MOST_KEYS) {
      this.#ports.report(new Declined(`A watchlist has at most ${MOST_KEYS} instruments.`));
      return;
    }
    this.#learn([instrument]);
    this.#change((all) => added(all, instrument.key));
  }

  remove(key: string): void {
    const keys = this.#keys.peek();
    if (!keys.includes(key)) return;
    const isLast = keys.at(-1) === key;
    if (this.#selected.peek() === key) {
      const next = neighbour(keys, key, isLast ? -1 : 1);
      this.#selected.value = next === key ? null : next;
    }
    this.#removed.value = { list: this.#list.peek().list_id, key, place: keys.indexOf(key) };
    this.#change((all) => removed(all, key));
  }

  /** Put the instrument that was removed last back in its place. */
  restore(): void {
    const last = this.#removed.peek();
    if (last === null || this.#restorable.peek() === null) return;
    this.#removed.value = null;
    this.#selected.value = last.key;
    this.#change((all) => inserted(all, last.key, last.place));
  }

  move(key: string, steps: number): void {
    this.#change((all) => moved(all, key, steps));
  }

  select(key: string): void {
    this.#selected.value = key;
  }

  step(steps: number): void {
    this.#selected.value = neighbour(this.#keys.peek(), this.#selected.peek(), steps);
  }

  /** Show another list. */
  show(id: string): void {
    if (this.#list.peek().list_id === id) return;
    this.#shownId.value = id;
    this.#selected.value = null;
    try {
      this.#ports.shown.write(id);
    } catch (error) {
      this.#ports.report(error);
    }
  }

  /** Show the list that is `steps` after this one. */
  stepList(steps: number): void {
    const ids = this.lists.peek().map((one) => one.list_id);
    const next = neighbour(ids, this.#list.peek().list_id, steps);
    if (next !== null) this.show(next);
  }

  /** Show the list at a place, from 1; does nothing if there is none. */
  showNth(place: number): void {
    const found = this.lists.peek()[place - 1];
    if (found !== undefined) this.show(found.list_id);
  }

  /** Make an empty list, and show it. */
  create(name: string): void {
    const id = this.#ports.newId();
    void this.#ports.lists.edit({ kind: "create", id, name: shortened(name), keys: [] });
    if (this.lists.peek().some((one) => one.list_id === id)) this.show(id);
  }

  rename(name: string): void {
    const { list_id: id, name: old } = this.#list.peek();
    if (shortened(name) === old) return;
    void this.#ports.lists.edit({ kind: "name", id, name: shortened(name) });
  }

  /** Remove the shown list, and show the one beside it. */
  removeList(): void {
    const id = this.#list.peek().list_id;
    const ids = this.lists.peek().map((one) => one.list_id);
    const next = neighbour(ids, id, ids.at(-1) === id ? -1 : 1);
    void this.#ports.lists.edit({ kind: "remove", id });
    if (next !== null && !this.lists.peek().some((one) => one.list_id === id)) this.show(next);
  }

  /** Move the shown list among the lists. */
  moveList(steps: number): void {
    void this.#ports.lists.edit({ kind: "move", id: this.#list.peek().list_id, steps });
  }

  #change(change: (keys: Keys) => Keys): void {
    void this.#ports.lists.edit({ kind: "keys", id: this.#list.peek().list_id, change });
  }

  #followOnly(keys: Keys): void {
    const gone = this.#followed.filter((key) => !keys.includes(key));
    const added = keys.filter((key) => !this.#followed.includes(key));
    this.#followed = keys;
    if (gone.length > 0) this.#ports.unfollow(gone);
    if (added.length > 0) this.#ports.follow(added);
    this.#readNames(added);
  }

  #readNames(keys: Keys): void {
    const unknown = keys.filter((key) => !this.#names.peek().has(key));
    if (unknown.length > 0) {
      this.#ports.namesOf(unknown).then((found) => this.#learn(found), this.#ports.report);
    }
  }

  #learn(instruments: readonly InstrumentName[]): void {
    const names = new Map(this.#names.peek());
    for (const instrument of instruments) names.set(instrument.key, instrument);
    this.#names.value = names;
  }
}

const shortened = (name: string): string => name.trim().slice(0, MOST_NAME_CHARS);
