// Subscribes to quotes with the `ws` package, as docs/stream.md describes it, and prints each message.
// Usage: node watch.mjs URL TOKEN NEXT_TOKEN KEY...
import WebSocket from "ws";

const [url, token, nextToken, ...keys] = process.argv.slice(2);
const socket = new WebSocket(url);
const send = (message) => socket.send(JSON.stringify(message));

socket.on("open", () => {
  send({ op: "auth", token });
  send({ op: "subscribe", id: 1, channel: "quotes", keys });
  send({ op: "ping", id: 2 });
});
socket.on("message", (data, isBinary) => {
  if (isBinary) throw new Error("messages are text");
  const message = JSON.parse(data);
  console.log(JSON.stringify(message));
  if (message.type === "expiring") send({ op: "auth", token: nextToken });
});
socket.on("close", (code, reason) => {
  console.log(JSON.stringify({ type: "closed", code, reason: reason.toString() }));
});
socket.on("unexpected-response", (_, response) => {
  console.log(JSON.stringify({ type: "refused", status: response.statusCode }));
  process.exit(1);
});
socket.on("error", (error) => console.error(error.message));
