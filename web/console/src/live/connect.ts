/** How a tab comes to the live stream: through the shared worker, behind an elected tab, or on its own. */

import { LiveRoom, type Listener, type LiveMessage } from "@/live/room";
import type { TabMessage } from "@/live/shared-worker";

export interface Connection {
  retry(): void;
  close(): void;
}

declare global {
  interface Window {
    /** The stream that `first-paint.js` began while the console itself was still on its way. */
    gatehouseStream?: Begun | undefined;
  }
}

interface Begun {
  url: string;
  who: string;
  worker: SharedWorker;
  /** Lets the tab's lock go, by which the worker knows that the tab lives. */
  release: () => void;
  failed?: boolean;
}

type Said = { to: "room"; do: "hello" | "retry" } | { to: "tabs"; message: LiveMessage };

/** Opens the live stream of `who` at `url`; `listener` hears its status and its frames. Tabs share it with the same account's alone. */
export function connect(url: string, listener: Listener, who: string): Connection {
  if (typeof SharedWorker === "function") {
    return shared(url, who, listener, () => elected(url, who, listener));
  }
  return elected(url, who, listener);
}

/** Holds a lock until `release` is called. */
function hold(name: string, granted: () => void, release: Promise<void>, signal: AbortSignal): void {
  const held = navigator.locks.request(name, { signal }, () => {
    granted();
    return release;
  });
  held.catch(() => undefined); // aborted before it was granted: nothing was held
}

/** The stream that was begun early, if it is the one that is wanted after all; another is let go. */
function takeBegun(url: string, who: string): Begun | null {
  const begun = window.gatehouseStream;
  window.gatehouseStream = undefined;
  if (!begun || (begun.url === url && begun.who === who && !begun.failed)) return begun ?? null;
  begun.worker.port.postMessage({ do: "close" } satisfies TabMessage);
  begun.worker.port.close();
  begun.release();
  return null;
}

function shared(url: string, who: string, listener: Listener, otherwise: () => Connection): Connection {
  let fallback: Connection | null = null;
  let closed = false;
  const abort = new AbortController();
  let release: () => void = () => undefined;
  const until = new Promise<void>((resolve) => (release = resolve));

  const begun = takeBegun(url, who);
  const worker =
    begun?.worker ??
    new SharedWorker(new URL("./shared-worker.ts", import.meta.url), { type: "module", name: "gatehouse-live" });
  worker.onerror = () => {
    if (!closed && !fallback) fallback = otherwise();
  };
  const send = (message: TabMessage): void => worker.port.postMessage(message);
  worker.port.onmessage = (message: MessageEvent<LiveMessage>) => {
    if (!closed) listener(message.data);
  };
  const leaving = (): void => send({ do: "close" });
  if (begun && typeof navigator.locks === "object") release = () => begun.release();
  else if (typeof navigator.locks === "object") {
    const lock = `gatehouse-tab-${crypto.randomUUID()}`;
    hold(lock, () => send({ do: "open", url, who, lock }), until, abort.signal);
  } else {
    // Plain HTTP by address: a browser gives no locks there, so a tab has to say goodbye itself.
    if (!begun) send({ do: "open", url, who, lock: null });
    addEventListener("pagehide", leaving);
  }

  return {
    retry: () => (fallback ? fallback.retry() : send({ do: "retry" })),
    close() {
      closed = true;
      fallback?.close();
      removeEventListener("pagehide", leaving);
      leaving();
      release();
      abort.abort();
      worker.port.close();
    },
  };
}

function elected(url: string, who: string, listener: Listener): Connection {
  if (typeof BroadcastChannel !== "function" || typeof navigator.locks !== "object") return own(url, listener);
  const channel = new BroadcastChannel(`gatehouse-live:${who}:${url}`);
  const abort = new AbortController();
  let room: LiveRoom | null = null;
  let release: () => void = () => undefined;
  const until = new Promise<void>((resolve) => (release = resolve));

  const pass: Listener = (message) => {
    channel.postMessage({ to: "tabs", message } satisfies Said);
    listener(message);
  };
  channel.onmessage = (event: MessageEvent<Said>) => {
    const said = event.data;
    if (said.to === "tabs") {
      if (!room) listener(said.message);
    } else if (room && said.do === "retry") room.retry();
    else if (room) room.tell((message) => channel.postMessage({ to: "tabs", message } satisfies Said));
  };
  hold(
    `gatehouse-live:${who}:${url}`,
    () => {
      room = new LiveRoom(url);
      room.join(pass);
    },
    until,
    abort.signal,
  );
  channel.postMessage({ to: "room", do: "hello" } satisfies Said);

  return {
    retry() {
      if (room) room.retry();
      else channel.postMessage({ to: "room", do: "retry" } satisfies Said);
    },
    close() {
      room?.leave(pass);
      release();
      abort.abort();
      channel.close();
    },
  };
}

function own(url: string, listener: Listener): Connection {
  const room = new LiveRoom(url);
  room.join(listener);
  return { retry: () => room.retry(), close: () => room.leave(listener) };
}
