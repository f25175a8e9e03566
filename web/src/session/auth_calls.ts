/** The requests of a session to auth. The refresh token is a cookie that the page cannot read. */
import type { components } from "../api/auth.gen.ts";
import { type Fetch, type Options, PASSWORD_TIMEOUT_MS, request } from "../api/rest.ts";

export type Tokens = components["schemas"]["Tokens"];

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

export interface AuthCalls {
  signUp(credentials: Credentials): Promise<void>;
  logIn(credentials: Credentials): Promise<Tokens>;
  refresh(): Promise<Tokens>;
  logOut(token: string): Promise<void>;
}

export function authCalls(fetch: Fetch): AuthCalls {
  const post = (path: string, body: unknown, options: Options = {}) =>
    request(fetch, path, { method: "POST", body, ...options });
  return {
    async signUp(credentials) {
      await post("/auth/signup", credentials, { timeoutMs: PASSWORD_TIMEOUT_MS });
    },
    async logIn(credentials) {
      const body = { ...credentials, cookie: true };
      return (await post("/auth/login", body, { timeoutMs: PASSWORD_TIMEOUT_MS })) as Tokens;
    },
    async refresh() {
      return (await post("/auth/refresh", {})) as Tokens;
    },
    async logOut(token) {
      await post("/auth/logout", {}, { token });
    },
  };
}
