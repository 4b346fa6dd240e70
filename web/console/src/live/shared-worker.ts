/** The live stream of all tabs of one browser: a browser opens few connections to one server, a guard many tabs. */

import { LiveRoom, type Listener } from "@/live/room";

/** What a tab says. `who`: whose stream it is: what one account was told is never handed to the next. `lock`: the Web Lock that the tab holds while it lives, so that a crashed tab is noticed too. */
export type TabMessage = { do: "open"; url: string; who: string; lock: string | null } | { do: "retry" } | { do: "close" };

/** By account and URL. */
const rooms = new Map<string, LiveRoom>();

function attend(port: MessagePort): void {
  let room: LiveRoom | null = null;
  const listener: Listener = (message) => port.postMessage(message);

  const leave = (): void => {
    room?.leave(listener);
    if (room?.empty) for (const [key, known] of rooms) if (known === room) rooms.delete(key);
    room = null;
  };

  port.onmessage = (message: MessageEvent<TabMessage>) => {
    const said = message.data;
    if (said.do === "retry") room?.retry();
    else if (said.do === "close") leave();
    else {
      leave();
      const key = `${said.who} ${said.url}`;
      room = rooms.get(key) ?? new LiveRoom(said.url);
      rooms.set(key, room);
      room.join(listener);
      // Granted only when the tab has let go of it, by closing or by crashing.
      if (said.lock !== null) void navigator.locks.request(said.lock, { mode: "shared" }, leave);
    }
  };
  port.start();
}

const scope = self as unknown as { onconnect: ((event: MessageEvent) => void) | null };
scope.onconnect = (event) => {
  const port = event.ports[0];
  if (port) attend(port);
};
