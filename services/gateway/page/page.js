// Logs in, searches instruments, and shows live quotes. The access token is kept in memory only; the
// refresh token is in a cookie that scripts cannot read (docs/security.md).

const el = (id) => document.getElementById(id);
const START = ["NSE_INDEX|Nifty 50", "NSE_EQ|INE002A01018", "NSE_EQ|INE467B01029"];
const KEPT = "tradedad.watchlist";
const price = new Intl.NumberFormat("en-IN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const signed = new Intl.NumberFormat("en-IN", { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "exceptZero" });
const whole = new Intl.NumberFormat("en-IN");
const rows = new Map(); // key -> {row, cells, name}
let token = null; // the access token
let socket = null;
let renewAt = 0; // timer
let attempt = 0; // reconnects in a row
let leaving = false;

async function call(path, { body, anonymous } = {}) {
  const headers = token && !anonymous ? { Authorization: `Bearer ${token}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(path, {
    method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body),
  });
  const answer = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) {
    const error = new Error(answer?.detail ?? `The server answered ${response.status}.`);
    error.status = response.status;
    error.code = answer?.code;
    throw error;
  }
  return answer;
}

// --- sessions

function enter(login) {
  token = login.access_token;
  clearTimeout(renewAt);
  renewAt = setTimeout(renew, Math.max(5, login.expires_in - 60) * 1000);
}

async function renew() {
  try {
    enter(await call("/auth/refresh", { body: {}, anonymous: true }));
  } catch (error) {
    if (error.status >= 400 && error.status < 500 && error.status !== 429) return leave();
    renewAt = setTimeout(renew, 5000 + Math.random() * 5000);
    return false;
  }
  if (el("market").hidden) show();
  else send({ op: "auth", token });
  return true;
}

function leave() {
  token = null;
  clearTimeout(renewAt);
  leaving = true;
  socket?.close();
  show();
  return false;
}

function show() {
  el("enter").hidden = token !== null;
  el("market").hidden = el("leave").hidden = token === null;
  el("who").textContent = "";
  if (token === null) return el("enter").elements.email.focus();
  el("trouble").textContent = "";
  leaving = false;
  if (!rows.size) fill();
  connect();
  call("/auth/me").then((me) => { el("who").textContent = me.email; }, () => {});
  refreshStatus();
}

el("enter").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const who = { email: form.elements.email.value, password: form.elements.password.value };
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  try {
    if (event.submitter?.value === "signup") await call("/auth/signup", { body: who });
    enter(await call("/auth/login", { body: { ...who, cookie: true } }));
    form.elements.password.value = "";
    show();
  } catch (error) {
    el("trouble").textContent = error.message;
  } finally {
    for (const button of form.querySelectorAll("button")) button.disabled = false;
  }
});

el("leave").addEventListener("click", async () => {
  await call("/auth/logout", { body: {} }).catch(() => {});
  leave();
});

// --- the stream

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function connect() {
  if (socket && socket.readyState < WebSocket.CLOSING) return;
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  socket.onopen = () => send({ op: "auth", token });
  socket.onmessage = ({ data }) => take(JSON.parse(data));
  socket.onclose = async ({ code }) => {
    if (leaving || token === null) return;
    if ((code === 4401 || code === 4403) && !(await renew())) return;
    attempt += 1;
    const longest = Math.min(15000, 500 * 2 ** attempt);
    setTimeout(() => token && connect(), Math.random() * longest);
  };
}

function take(message) {
  if (message.type === "authenticated") {
    attempt = 0;
    if (rows.size) subscribe([...rows.keys()]);
  } else if (message.type === "quotes") message.data.forEach(draw);
  else if (message.type === "ack" || message.type === "outcomes") {
    for (const [key, outcome] of Object.entries(message.results)) mark(key, outcome);
  } else if (message.type === "expiring") renew();
}

const subscribe = (keys) => send({ op: "subscribe", id: 1, channel: "quotes", keys, interval_ms: 250 });

// --- the table

function add(key, name) {
  if (rows.has(key)) return;
  const row = el("quotes").insertRow();
  const cells = Array.from({ length: 8 }, () => row.insertCell());
  cells[0].textContent = name ?? key;
  const button = document.createElement("button");
  button.textContent = "×";
  button.title = "Remove";
  button.addEventListener("click", () => {
    rows.delete(key);
    row.remove();
    keep();
    send({ op: "unsubscribe", id: 2, channel: "quotes", keys: [key] });
  });
  cells[7].append(button);
  rows.set(key, { row, cells, last: null });
  subscribe([key]);
}

function draw(quote) {
  const shown = rows.get(quote.key);
  if (!shown) return;
  const { cells } = shown;
  const number = (value) => (value === undefined ? "–" : price.format(value));
  cells[1].textContent = number(quote.ltp);
  if (shown.last !== null && quote.ltp !== shown.last) {
    cells[1].className = quote.ltp > shown.last ? "up" : "down";
  }
  shown.last = quote.ltp;
  const change = quote.ltp !== undefined && quote.cp ? (quote.ltp / quote.cp - 1) * 100 : null;
  cells[2].textContent = change === null ? "–" : `${signed.format(change).replace("-", "−")} %`;
  cells[2].className = !change || Math.abs(change) < 0.005 ? "" : change > 0 ? "up" : "down";
  cells[3].textContent = number(quote.bid);
  cells[4].textContent = number(quote.ask);
  cells[5].textContent = quote.volume === undefined ? "–" : whole.format(quote.volume);
  cells[6].textContent = new Date(quote.ltt ?? quote.ts).toLocaleTimeString("en-IN", { timeZone: "Asia/Kolkata", hour12: false });
}

function mark(key, outcome) {
  const shown = rows.get(key);
  if (shown && outcome !== "live") shown.cells[1].textContent = outcome.replace("_", " ");
}

const keep = () => localStorage.setItem(KEPT, JSON.stringify([...rows.keys()]));

async function fill() {
  let keys = START;
  try {
    keys = JSON.parse(localStorage.getItem(KEPT)) ?? START;
  } catch { /* the stored list is invalid: use the default list */ }
  const named = new Map();
  if (keys.length) {
    const query = new URLSearchParams(keys.map((key) => ["keys", key]));
    const answer = await call(`/v1/instruments?${query}`).catch(() => ({ instruments: [] }));
    for (const one of answer.instruments) named.set(one.key, one.symbol);
  }
  for (const key of keys) add(key, named.get(key) ?? key.split("|")[1]);
}

// --- search

let searching = 0;
el("words").addEventListener("input", () => {
  clearTimeout(searching);
  searching = setTimeout(search, 250);
});

async function search() {
  const words = el("words").value.trim();
  const list = el("found");
  if (!words) return list.replaceChildren();
  try {
    const query = new URLSearchParams({ q: words, limit: 8 });
    const { instruments } = await call(`/v1/instruments?${query}`);
    if (words !== el("words").value.trim()) return; // the input has changed since the request
    list.replaceChildren(...instruments.map((one) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      const about = document.createElement("small");
      about.textContent = `${one.name} · ${one.segment}`;
      button.append(one.symbol, about);
      button.addEventListener("click", () => {
        add(one.key, one.symbol);
        keep();
        el("words").value = "";
        list.replaceChildren();
      });
      item.append(button);
      return item;
    }));
    el("hint").textContent = instruments.length ? "" : `No instrument matches “${words}”.`;
  } catch (error) {
    el("hint").textContent = error.message;
  }
}

// --- the state of the feed

async function refreshStatus() {
  if (token === null) return;
  const badge = el("feed");
  try {
    const status = await call("/v1/status");
    const state = status.feed_is_current ? status.feed.state : "unknown";
    badge.textContent = `feed ${state.replace("_", " ")}`;
    badge.className = `badge ${state === "live" ? "good" : state === "closed" ? "" : "bad"}`;
    badge.title = status.feed?.detail ?? "";
  } catch (error) {
    badge.textContent = "offline";
    badge.className = "badge bad";
    badge.title = error.message;
  }
}
setInterval(() => document.hidden || refreshStatus(), 5000);

// --- start: a browser with a session has a refresh cookie

if (!(await renew())) show();
