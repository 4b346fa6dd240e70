/** Opened without a signal, the sites are those remembered, until there is one. */

import { afterEach, expect, it, vi } from "vitest";

import { remember } from "@/kit/remembered";
import type { connect } from "@/live/connect";
import { session } from "@/shell/stores/session";
import { layouts, siteName, sites } from "@/shell/stores/site";
import { beginWatching, endWatching } from "@/shell/watching";
import { server, settled } from "./mounting";

type Tell = Parameters<typeof connect>[1];
const line = vi.hoisted(() => ({ tell: (() => undefined) as Tell }));
vi.mock("@/live/connect", () => ({
  connect: (_: string, tell: Tell) => {
    line.tell = tell;
    return { close: () => undefined, retry: () => undefined };
  },
}));

const text = (words: string) => ({ zh: words, en: words });
const layout = (name: string) => ({ site: "demo", name: text(name), doors: [], lanes: [], devices: [], points: [], zones: [] });

afterEach(() => {
  endWatching();
  session.user = null;
  vi.unstubAllGlobals();
});

it("asks for the sites again once the stream is live", async () => {
  remember("sites", [{ id: "demo", name: "旧名" }]);
  remember("layout.demo", layout("旧名"));
  session.user = { id: "u", username: "wang", name: "王", role: "guard", language: "zh", sites: ["demo"] };
  let signal = false;
  const asked = server(({ path }) => {
    if (!signal) throw new TypeError("no signal");
    const list = { items: [{ id: "demo", name: "新名" }, { id: "annex", name: "南园" }], next: null };
    return { status: 200, body: path.startsWith("/api/sites") ? list : layout("新名") };
  });
  beginWatching();
  await vi.waitFor(() => expect(layouts.size).toBe(1));
  expect([siteName("demo"), sites.remembered]).toEqual(["旧名", true]);
  signal = true;
  const now = Date.now();
  line.tell({ type: "status", status: { state: "live", since: now, retryAt: null, heardAt: now } });
  await vi.waitFor(() => expect(siteName("demo")).toBe("新名"));
  await settled();
  expect([sites.items.map(({ id }) => id), sites.remembered]).toEqual([["demo", "annex"], false]);
  const before = asked.length;
  line.tell({ type: "status", status: { state: "live", since: now, retryAt: null, heardAt: now + 1 } });
  await settled();
  expect(asked.length).toBe(before);
});
