/** Exact decimal amounts: an integer of the last decimal place. No sum or product is ever rounded. Pure. */
import { grouped, UNKNOWN } from "../ui/format.ts";

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;
const MINUS = "−";
/** Amounts are shown in paise, prices with up to four decimal places, as orders take them. */
const PAISE = 2;
const PRICE_PLACES = 4;

const power = (places: number): bigint => 10n ** BigInt(places);

export class Amount {
  static readonly ZERO = new Amount(0n, 0);

  private constructor(
    readonly units: bigint,
    readonly places: number,
  ) {}

  /** Of a decimal string, or of a number of a quote, whose shortest digits are those that were sent. */
  static of(value: string | number): Amount {
    const parts = DECIMAL.exec(String(value));
    if (parts === null) throw new Error(`not a decimal number: ${value}`);
    const [, sign, whole = "", fraction = ""] = parts;
    const units = BigInt(whole + fraction);
    return new Amount(sign === "-" ? -units : units, fraction.length);
  }

  get sign(): -1 | 0 | 1 {
    if (this.units === 0n) return 0;
    return this.units < 0n ? -1 : 1;
  }

  plus(other: Amount): Amount {
    const places = Math.max(this.places, other.places);
    return new Amount(this.#at(places) + other.#at(places), places);
  }

  minus(other: Amount): Amount {
    return this.plus(new Amount(-other.units, other.places));
  }

  times(other: Amount | number): Amount {
    const factor = typeof other === "number" ? Amount.of(other) : other;
    return new Amount(this.units * factor.units, this.places + factor.places);
  }

  isBelow(other: Amount): boolean {
    return this.minus(other).sign < 0;
  }

  /** Digits as the API takes them, without an exponent or a group. */
  toString(): string {
    const digits = String(this.units < 0n ? -this.units : this.units).padStart(
      this.places + 1,
      "0",
    );
    const point = digits.length - this.places;
    const fraction = digits.slice(point).replace(/0+$/, "");
    const text = fraction === "" ? digits.slice(0, point) : `${digits.slice(0, point)}.${fraction}`;
    return this.units < 0n ? `-${text}` : text;
  }

  /** Rounded half away from zero, for display only. */
  rounded(places: number): Amount {
    if (this.places <= places) return new Amount(this.#at(places), places);
    const unit = power(this.places - places);
    const size = this.units < 0n ? -this.units : this.units;
    const units = (size + unit / 2n) / unit;
    return new Amount(this.units < 0n ? -units : units, places);
  }

  #at(places: number): bigint {
    return this.units * power(places - this.places);
  }
}

type Shown = Amount | string | number | null | undefined;

/** `null` for what is not known. */
export function amountOf(value: Shown): Amount | null {
  if (value === null || value === undefined) return null;
  return value instanceof Amount ? value : Amount.of(value);
}

export function sum(amounts: Iterable<Amount>): Amount {
  let total = Amount.ZERO;
  for (const amount of amounts) total = total.plus(amount);
  return total;
}

function shown(amount: Amount, leastPlaces: number): string {
  const [whole = "", fraction = ""] = amount.toString().replace("-", "").split(".");
  const text = `${grouped(whole)}.${fraction.padEnd(leastPlaces, "0")}`;
  return amount.sign < 0 ? MINUS + text : text;
}

/** An amount of money to the paisa: `12,34,567.50`. */
export function rupees(value: Shown): string {
  const amount = amountOf(value);
  return amount === null ? UNKNOWN : shown(amount.rounded(PAISE), PAISE);
}

/** A profit with its sign: `+1,250.00`. */
export function profit(value: Shown): string {
  const text = rupees(value);
  return text !== UNKNOWN && /[1-9]/.test(text) && !text.startsWith(MINUS) ? `+${text}` : text;
}

/** A price for a field, as it is typed: `1400.10`. */
export function typedPrice(value: Amount | string | number): string {
  const amount = value instanceof Amount ? value : Amount.of(value);
  const [whole = "", fraction = ""] = amount.toString().split(".");
  return `${whole}.${fraction.padEnd(PAISE, "0")}`;
}

/** A price with the places that it has: `1,400.05`, `83.0125`. */
export function exactPrice(value: Shown): string {
  const amount = amountOf(value);
  return amount === null ? UNKNOWN : shown(amount.rounded(PRICE_PLACES), PAISE);
}
