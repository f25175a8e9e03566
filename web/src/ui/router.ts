/** The shown view, and the address bar that follows it. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import { type Address, addressOf, type Route, routeOf } from "./route.ts";

export interface AddressBar {
  read(): Address;
  /** A new entry of the history, or another address for the current one. */
  push(address: string): void;
  replace(address: string): void;
}

export class Router {
  readonly #route;
  readonly #bar: AddressBar;

  constructor(bar: AddressBar) {
    this.#bar = bar;
    this.#route = signal(routeOf(bar.read()));
  }

  get route(): ReadonlySignal<Route> {
    return this.#route;
  }

  go(route: Route): void {
    const address = addressOf(route);
    if (address === addressOf(this.#route.peek())) return;
    this.#bar.push(address);
    this.#route.value = route;
  }

  /** The same view in another form: "back" leaves it at once. */
  replace(route: Route): void {
    this.#bar.replace(addressOf(route));
    this.#route.value = route;
  }

  /** The browser went back or forward. */
  moved(): void {
    this.#route.value = routeOf(this.#bar.read());
  }
}
