/** Requests for market data: bars, gaps, and the reference data of an instrument. */
import type { Client } from "./client.ts";
import type { components } from "./gateway.gen.ts";

type Schemas = components["schemas"];
export type Bars = Schemas["Bars"];
export type Gaps = Schemas["Gaps"];
export type InstrumentDetail = Schemas["InstrumentDetail"];

/** Bars or gaps of a time, `toMs` excluded; without it until now. */
export interface Range {
  readonly key: string;
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly cursor: string | null;
}

/** The most that the gateway sends at once. */
const BARS_PER_PAGE = 2_000;

const queryOf = ({ key, fromMs, toMs, cursor }: Range) => ({
  ...{ key, from: fromMs },
  ...(toMs === null ? {} : { to: toMs }),
  ...(cursor === null ? {} : { cursor }),
});

export class MarketCalls {
  readonly #client: Pick<Client, "call">;

  constructor(client: Pick<Client, "call">) {
    this.#client = client;
  }

  async bars(range: Range, interval: string, signal: AbortSignal): Promise<Bars> {
    const query = { ...queryOf(range), interval, limit: BARS_PER_PAGE };
    return (await this.#client.call("/v1/bars", { query, signal })) as Bars;
  }

  async gaps(range: Range, signal: AbortSignal): Promise<Gaps> {
    return (await this.#client.call("/v1/gaps", { query: queryOf(range), signal })) as Gaps;
  }

  async instrument(key: string, signal: AbortSignal): Promise<InstrumentDetail> {
    const path = `/v1/instruments/${encodeURIComponent(key)}`;
    return (await this.#client.call(path, { signal })) as InstrumentDetail;
  }
}
