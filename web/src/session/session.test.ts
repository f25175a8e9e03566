import { beforeEach, describe, expect, test } from "vitest";
import { NoAnswer, Refusal } from "../api/problems.ts";
import { ManualClock, settled } from "../testing/manual_clock.ts";
import type { AuthCalls, Tokens } from "./auth_calls.ts";
import { Session, type TabMessage, type Tabs } from "./session.ts";

const EXPIRES_IN_SECS = 600;
const ME = { email: "me@example.com", password: "a long sentence is best" };

function tokens(userId: string, count = 0): Tokens {
  const payload = btoa(JSON.stringify({ sub: userId, count })).replaceAll("=", "");
  return { access_token: `h.${payload}.s`, expires_in: EXPIRES_IN_SECS } as Tokens;
}

/** Tabs of one browser: what one tells, all others hear. */
class Browser {
  readonly #receivers: ((message: TabMessage) => void)[] = [];

  tab(): Tabs {
    let own: (message: TabMessage) => void = () => {};
    return {
      tell: (message) => {
        for (const receive of this.#receivers) if (receive !== own) receive(message);
      },
      listen: (receive) => {
        own = receive;
        this.#receivers.push(receive);
      },
    };
  }
}

/** Auth with one cookie. Answers can be set to fail. */
class FakeAuth implements AuthCalls {
  cookie: string | null = null;
  refreshes = 0;
  atOnce = 0;
  mostAtOnce = 0;
  readonly failures: unknown[] = [];
  logOutFailure: unknown = null;
  gate: Promise<void> = Promise.resolve();

  async signUp(): Promise<void> {}

  async logIn({ email }: { email: string }): Promise<Tokens> {
    this.cookie = email;
    return tokens(email);
  }

  async refresh(): Promise<Tokens> {
    this.refreshes += 1;
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    await this.gate;
    this.atOnce -= 1;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    if (this.cookie === null) throw new Refusal(401, "unauthenticated", "no cookie");
    return tokens(this.cookie, this.refreshes);
  }

  async logOut(): Promise<void> {
    if (this.logOutFailure !== null) throw this.logOutFailure;
    this.cookie = null;
  }
}

let auth: FakeAuth;
let clock: ManualClock;
let browser: Browser;

/** As the browser's Web Lock. */
function lock(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
}

function session(exclusively = lock()): Session {
  return new Session({ auth, clock, tabs: browser.tab(), random: () => 1, exclusively });
}

beforeEach(() => {
  auth = new FakeAuth();
  clock = new ManualClock();
  browser = new Browser();
});

describe("a session", () => {
  test("of an earlier page load continues by its cookie", async () => {
    auth.cookie = "u1";
    const one = session();
    expect(await one.renew()).toBe("renewed");
    expect(one.state.value).toEqual({ kind: "active", userId: "u1" });
    expect(await one.token()).toContain("h.");
  });

  test("does not exist without a cookie", async () => {
    const one = session();
    expect(await one.renew()).toBe("ended");
    expect(one.state.value).toEqual({ kind: "anonymous", reason: "none" });
    expect(clock.timers).toBe(0);
  });

  test("is renewed a minute before its token expires", async () => {
    const one = session();
    await one.logIn(ME);
    await clock.pass((EXPIRES_IN_SECS - 61) * 1_000);
    expect(auth.refreshes).toBe(0);
    await clock.pass(2_000);
    expect(auth.refreshes).toBe(1);
    expect(clock.timers).toBe(1);
  });

  test("is renewed at once when the machine wakes with an expired token", async () => {
    const one = session();
    await one.logIn(ME);
    clock.jump(EXPIRES_IN_SECS * 1_000);
    one.wake();
    await settled();
    expect(auth.refreshes).toBe(1);
  });

  test("gives no token that expires while it is on its way", async () => {
    const one = session();
    await one.logIn(ME);
    const first = await one.token();
    clock.jump((EXPIRES_IN_SECS - 2) * 1_000);
    expect(await one.token()).not.toBe(first);
  });

  test("survives a lost answer by asking again at once", async () => {
    auth.cookie = "u1";
    auth.failures.push(new NoAnswer("timeout"));
    const one = session();
    expect(await one.renew()).toBe("renewed");
    expect(auth.refreshes).toBe(2);
  });

  test("that cannot be renewed is kept, and tried again with pauses", async () => {
    const one = session();
    await one.logIn(ME);
    auth.failures.push(new NoAnswer(""), new NoAnswer(""), new Refusal(503, "unavailable", ""));
    expect(await one.renew()).toBe("unreachable");
    expect(one.state.value.kind).toBe("active");
    await clock.pass(1_000);
    expect(auth.refreshes).toBe(3);
    await clock.pass(2_000);
    expect(auth.refreshes).toBe(4);
    expect(one.state.value.kind).toBe("active");
  });

  test("that starts without a connection says so until there is one", async () => {
    auth.cookie = "u1";
    auth.failures.push(new NoAnswer(""), new NoAnswer(""));
    const one = session();
    await one.renew();
    expect(one.state.value).toEqual({ kind: "starting", trouble: true });
    await clock.pass(1_000);
    expect(one.state.value.kind).toBe("active");
  });

  test("that the server has ended is over, with that reason", async () => {
    const one = session();
    await one.logIn(ME);
    auth.cookie = null;
    expect(await one.renew()).toBe("ended");
    expect(one.state.value).toEqual({ kind: "anonymous", reason: "ended" });
    expect(clock.timers).toBe(0);
  });

  test("shares one request between callers at the same time", async () => {
    auth.cookie = "u1";
    const one = session();
    await Promise.all([one.renew(), one.renew(), one.token()]);
    expect(auth.refreshes).toBe(1);
  });

  test("is not brought back by a renewal that was under way at its logout", async () => {
    const one = session();
    await one.logIn(ME);
    let open: () => void = () => {};
    auth.gate = new Promise((resolve) => {
      open = resolve;
    });
    const renewal = one.renew();
    await settled();
    await one.logOut();
    open();
    expect(await renewal).toBe("ended");
    expect(one.state.value).toEqual({ kind: "anonymous", reason: "logged_out" });
  });

  test("keeps its reason although a late request asks for a token", async () => {
    const one = session();
    await one.logIn(ME);
    await one.logOut();
    expect(await one.token()).toBeNull();
    expect(one.state.value).toEqual({ kind: "anonymous", reason: "logged_out" });
  });

  test("is not called ended if the server did not get the logout", async () => {
    const one = session();
    await one.logIn(ME);
    auth.logOutFailure = new NoAnswer("");
    await expect(one.logOut()).rejects.toBeInstanceOf(NoAnswer);
    expect(one.state.value.kind).toBe("active");
  });
});

describe("two tabs", () => {
  test("never use the cookie at the same time", async () => {
    auth.cookie = "u1";
    const shared = lock();
    await Promise.all([session(shared).renew(), session(shared).renew()]);
    expect(auth.refreshes).toBe(2);
    expect(auth.mostAtOnce).toBe(1);
  });

  test("log out together", async () => {
    const [one, other] = [session(), session()];
    await one.logIn(ME);
    await settled();
    await other.renew();
    await one.logOut();
    expect(other.state.value).toEqual({ kind: "anonymous", reason: "logged_out" });
    expect(await other.token()).toBeNull();
  });

  test("log in together if the other waits at the login", async () => {
    const [one, other] = [session(), session()];
    await other.renew();
    await one.logIn(ME);
    await settled();
    expect(other.state.value).toEqual({ kind: "active", userId: ME.email });
  });

  test("follow the cookie when another user logs in", async () => {
    const [one, other] = [session(), session()];
    await one.logIn(ME);
    await other.logIn({ ...ME, email: "you@example.com" });
    await one.renew();
    expect(one.state.value).toEqual({ kind: "active", userId: "you@example.com" });
  });
});
