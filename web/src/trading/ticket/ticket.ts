/** One ticket: the fields, what is wrong with them, the preview, and the command that sends the order. */
import {
  batch,
  computed,
  effect,
  type ReadonlySignal,
  type Signal,
  signal,
  untracked,
} from "@preact/signals-core";
import type { Instrument } from "../../api/client.ts";
import { asSentence, sentence } from "../../api/problems.ts";
import type { Cancel } from "../../clock.ts";
import { Amount, typedPrice } from "../amount.ts";
import { Command, type CommandPorts, type CommandState } from "../command.ts";
import type { NewOrder, Order, OrderChanges, Side } from "../messages.ts";
import { type Ask, Previewing } from "./previewing.ts";
import {
  changesOf,
  type Field,
  type Fields,
  fieldOf,
  fieldsOf,
  hasLimit,
  lotOf,
  orderOf,
  type Problems,
  problemsOf,
  ungrouped,
} from "./terms.ts";

export interface TicketPorts extends CommandPorts {
  readonly preview: Ask;
  readonly place: (order: NewOrder, key: string) => Promise<Order>;
  readonly modify: (orderId: string, changes: OrderChanges, key: string) => Promise<Order>;
}

export interface Subject {
  readonly instrument: Instrument;
  readonly side: Side;
  /** The open order that is changed; `null` for a new one. */
  readonly amended: Order | null;
}

/** Longer than a double click: its second click does not answer the question. */
const READING_MS = 700;
const FRESH: CommandState<Order> = { kind: "new" };
const DEFAULT_TICK = "0.05";

export class Ticket {
  readonly lot: number;
  readonly previewing: Previewing;
  /** An order at Upstox is asked for once more. */
  readonly isAskedOnceMore = signal(false);
  /** Whether the user was asked less than `READING_MS` ago: no press counts as the answer yet. */
  readonly isReading = signal(false);
  /** The price may have moved unseen: an order at the market would be placed blindly. */
  readonly isStale = signal(false);
  readonly subject: Subject;
  readonly #fields: Signal<Fields>;
  readonly #order: ReadonlySignal<NewOrder | null>;
  /** Its key is that of this ticket, until the server has refused it and the fields are changed. */
  readonly #command = signal<Command<Order> | null>(null);
  readonly #state: ReadonlySignal<CommandState<Order>>;
  readonly #ports: TicketPorts;
  readonly #stop: () => void;
  #cancelReading: Cancel = () => {};

  constructor(subject: Subject, start: Fields, ports: TicketPorts) {
    this.subject = subject;
    this.lot = lotOf(subject.instrument);
    const { amended, instrument, side } = subject;
    this.#fields = signal(amended === null ? start : fieldsOf(amended, this.lot));
    this.#ports = ports;
    this.previewing = new Previewing(ports.preview, ports.clock);
    const of = { key: instrument.key, side, lot: this.lot };
    this.#order = computed(() => orderOf(this.#fields.value, of));
    this.#state = computed(() => this.#command.value?.state.value ?? FRESH);
    this.#stop = effect(() => {
      const order = this.#order.value;
      const isSame = order && amended && Object.keys(changesOf(order, amended)).length === 0;
      untracked(() => this.previewing.want(isSame ? null : order));
    });
  }

  get fields(): ReadonlySignal<Fields> {
    return this.#fields;
  }

  get order(): ReadonlySignal<NewOrder | null> {
    return this.#order;
  }

  get state(): ReadonlySignal<CommandState<Order>> {
    return this.#state;
  }

  get command(): ReadonlySignal<Command<Order> | null> {
    return this.#command;
  }

  /** While an answer is awaited or was lost, the terms stay: a repetition must be the same command. */
  get isFixed(): boolean {
    const { kind } = this.#state.value;
    return kind === "sending" || kind === "unknown" || kind === "done";
  }

  get isBlind(): boolean {
    return this.isStale.value && !hasLimit(this.#fields.value.orderType) && !this.isFixed;
  }

  /** Whether the terms are complete, and the preview of them has no failed check. */
  get canSend(): boolean {
    const isRefused = !this.isFixed && this.#brokenRules().length > 0;
    return this.#order.value !== null && !this.isBlind && !isRefused;
  }

  /** Problems by field: unreadable input, failed checks of the preview, the server's refusal. */
  get problems(): Problems {
    const found: Partial<Record<Field, string>> = {};
    for (const { rule, detail } of this.#brokenRules()) {
      const field = this.#shownField(rule);
      if (field !== null) found[field] ??= asSentence(detail ?? "");
    }
    const state = this.#state.value;
    const refused = state.kind === "refused" ? this.#shownField(state.error.field) : null;
    if (state.kind === "refused" && refused !== null) found[refused] = sentence(state.error);
    return { ...found, ...problemsOf(this.#fields.value, this.lot) };
  }

  /** Problems that concern no single field. */
  get troubles(): readonly string[] {
    const state = this.#state.value;
    const refusal =
      state.kind === "refused" && this.#shownField(state.error.field) === null
        ? [sentence(state.error)]
        : [];
    const rules = this.#brokenRules().filter(({ rule }) => this.#shownField(rule) === null);
    return [...new Set([...refusal, ...rules.map(({ detail }) => asSentence(detail ?? ""))])];
  }

  change(fields: Partial<Fields>): void {
    if (this.isFixed) return;
    batch(() => {
      this.#fields.value = { ...this.#fields.peek(), ...fields };
      this.isAskedOnceMore.value = false;
      if (this.#state.peek().kind === "refused") this.#command.value = null;
    });
  }

  /** A quantity by one lot, a price by one tick, up or down; not below one of them. */
  step(field: "lots" | "disclosed" | "price" | "trigger", steps: 1 | -1): void {
    const isLots = field === "lots" || field === "disclosed";
    const tick = this.subject.instrument.tick_size;
    const unit = Amount.of(isLots ? 1 : (tick ?? DEFAULT_TICK));
    const text = ungrouped(this.#fields.peek()[field]);
    const now = /^\d+(\.\d+)?$/.test(text) ? Amount.of(text) : Amount.ZERO;
    const next = now.plus(unit.times(steps));
    if (!next.isBelow(unit)) this.change({ [field]: isLots ? next.toString() : typedPrice(next) });
  }

  /** Send the order. Again after a lost answer: the same command. */
  async send(): Promise<CommandState<Order>> {
    const order = this.#order.peek();
    const { kind } = this.#state.peek();
    if (order === null || !this.canSend || kind === "sending" || kind === "done")
      return this.#state.peek();
    const isLive = order.account === "upstox";
    if (isLive && kind === "new") {
      if (!this.isAskedOnceMore.peek()) this.#askOnceMore();
      if (this.isReading.peek()) return this.#state.peek();
    }
    const { amended } = this.subject;
    const { place, modify } = this.#ports;
    const send = (key: string) =>
      amended === null
        ? place(order, key)
        : modify(amended.order_id, changesOf(order, amended), key);
    // A refusal is the answer to its key for ever: another attempt is another command.
    const known = kind === "refused" ? null : this.#command.peek();
    const command = known ?? new Command(send, this.#ports);
    this.#command.value = command;
    return command.run();
  }

  stop(): void {
    this.#cancelReading();
    this.#stop();
    this.previewing.stop();
  }

  #askOnceMore(): void {
    this.isAskedOnceMore.value = true;
    this.isReading.value = true;
    this.#cancelReading();
    this.#cancelReading = this.#ports.clock.later(READING_MS, () => {
      this.isReading.value = false;
    });
  }

  /** A ticket that changes an order does not show its account and product. */
  #shownField(name: string | null): Field | null {
    const field = fieldOf(name);
    const isHidden = this.subject.amended !== null && (field === "account" || field === "product");
    return isHidden ? null : field;
  }

  #brokenRules() {
    const state = this.previewing.state.value;
    return state.kind === "shown" ? state.preview.rules.filter(({ passed }) => !passed) : [];
  }
}
