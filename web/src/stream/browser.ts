/** The stream's WebSocket in a browser. */
import type { Socket, SocketHandlers } from "./stream.ts";

const NO_FRAME = 1006;

export function openSocket(address: string, handlers: SocketHandlers): Socket {
  const socket = new WebSocket(address);
  socket.onopen = () => handlers.opened();
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (typeof data === "string") handlers.received(data);
  };
  socket.onclose = ({ code }) => handlers.closed(code ?? NO_FRAME);
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => socket.close(),
  };
}

/** The address of the stream of the server that served a page of this address. */
export function streamAddress(page: { protocol: string; host: string }): string {
  return `${page.protocol === "https:" ? "wss" : "ws"}://${page.host}/ws`;
}
