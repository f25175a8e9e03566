/** The requests about watchlists. */
import type { components } from "../api/auth.gen.ts";
import type { Client } from "../api/client.ts";
import type { SavedList, SavedLists } from "./saved_list.ts";

export interface ListCalls {
  read(): Promise<SavedLists>;
  /** Stores a list in place of its revision, and returns the next one. */
  save(list: SavedList): Promise<SavedList>;
  remove(list: SavedList): Promise<void>;
  order(ids: readonly string[]): Promise<SavedLists>;
}

const PATH = "/v1/watchlists";

const listsOf = (answer: unknown): SavedLists =>
  (answer as components["schemas"]["WatchlistsBody"]).lists;

export function listCalls(client: Pick<Client, "call">): ListCalls {
  const pathOf = ({ list_id }: SavedList) => `${PATH}/${encodeURIComponent(list_id)}`;
  return {
    async read() {
      return listsOf(await client.call(PATH));
    },
    async save(list) {
      const { name, keys, revision } = list;
      const body = { name, keys, revision };
      return (await client.call(pathOf(list), { method: "PUT", body })) as SavedList;
    },
    async remove(list) {
      const query = { revision: list.revision };
      await client.call(pathOf(list), { method: "DELETE", query });
    },
    async order(ids) {
      return listsOf(await client.call(PATH, { method: "PUT", body: { list_ids: ids } }));
    },
  };
}
