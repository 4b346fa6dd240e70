/** A hit that nobody has noted is never lost: on the card, then in the strip, in the title and to the ear. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { defineComponent, h } from "vue";

import type { EventItem } from "@/api/types";
import BlockedCard from "@/areas/guard/BlockedCard.vue";
import { SETTLE_MS } from "@/areas/guard/holding";
import { now } from "@/kit/clock";
import { preferences } from "@/kit/preferences";
import { phone } from "@/kit/screen";
import { BELL_MS, useBell } from "@/shell/bell";
import StatusStrip from "@/shell/StatusStrip.vue";
import { AGAIN_MS, hits } from "@/shell/stores/calling";
import { live, stopWatching, watchSite } from "@/shell/stores/live";
import { session } from "@/shell/stores/session";
import { useTitle } from "@/shell/title";
import { T } from "@/testids";
import { access, alarm, lane, other, snapshot } from "./items";
import { at, mount, mounted, server, settled } from "./mounting";

const MINUTE = 60_000;
let leave = (): void => undefined;

function hit(id: number, plate: string, ageMs = 0): EventItem {
  const reason = { code: "blocked_plate", zh: "黑名单车辆", en: "Blocked" };
  const data = { rule: "block:b-1", credential: { kind: "plate", value: plate }, reason };
  return access(id, { kind: "access.denied", source: "gate-in", at: new Date(now.value - ageMs).toISOString(), data });
}
const noted = (id: number, of: number): EventItem =>
  other(id, "hit.acknowledged", { by: { id: "m", name: "王经理", role: "manager" }, subject: { stream: "f".repeat(32), seq: of } });

const found = (id: string): HTMLElement | null => document.querySelector(`[data-testid="${id}"]`);
const banner = (kind: string): HTMLElement | null => document.querySelector(`[data-banner="${kind}"]`);
const Both = defineComponent(() => () => [h(StatusStrip), h(BlockedCard)]);

beforeEach(() => {
  session.user = { id: "u", username: "m", name: "王经理", role: "manager", sites: ["demo"] } as unknown as typeof session.user;
  session.can = ["open", "watch"];
  session.about = { server: "hub" } as typeof session.about;
});
afterEach(() => {
  leave();
  leave = () => undefined;
  vi.useRealTimers();
  vi.unstubAllGlobals();
  session.user = session.about = null;
  session.can = [];
  live.asOf = null;
  live.events = [];
  live.lanes.clear();
  live.alarms.clear();
  phone.value = false;
  preferences.sound = true;
});

describe("a hit that nobody has noted", () => {
  it("makes room on the card after a while, stands in the strip with its age, and goes only when it is noted", async () => {
    live.events = [hit(7, "粤B88888", 95 * MINUTE)];
    leave = mount(Both);
    await settled();
    expect(found(T.blockedCard)).toBeNull();
    expect(banner("hit")?.textContent).toContain("粤B88888");
    expect(banner("hit")?.textContent).toContain("1 小时");
    at(T.hitLook).click();
    await settled();
    expect(at(T.blockedCard).dataset.plate).toBe("粤B88888");
    expect(banner("hit")).toBeNull();
    live.events = [noted(8, 7), ...live.events];
    await settled();
    expect(found(T.blockedCard)).toBeNull();
    expect(banner("hit")).toBeNull();
  });

  it("stays large while its car stands there, however long", async () => {
    const car = { plate: "粤B88888", read_at: null, picture: null, stream: "f".repeat(32), seq: 7, outcome: "denied", holder: null, blocked: true } as const;
    live.lanes.set("demo/gate-in", { ...lane("gate-in"), car });
    live.events = [hit(7, "粤B88888", 95 * MINUTE)];
    leave = mount(Both);
    await settled();
    expect(at(T.blockedCard).dataset.plate).toBe("粤B88888");
    live.lanes.set("demo/gate-in", lane("gate-in"));
    await settled();
    expect([found(T.blockedCard), banner("hit") !== null]).toEqual([null, true]);
  });

  it("is the one that is noted, though another has come meanwhile", async () => {
    live.events = [hit(7, "粤B88888")];
    leave = mount(Both);
    await settled();
    live.events = [hit(9, "京A00001"), hit(8, "粤B88888"), ...live.events];
    await settled();
    expect(at(T.blockedCard).dataset.plate).toBe("粤B88888");
    expect(banner("hit")?.textContent).toContain("京A00001");
    at(T.blockedNext).click();
    await settled();
    expect(at(T.blockedCard).dataset.plate).toBe("京A00001");
  });

  it("is not noted by a press that was meant for the one before it", async () => {
    vi.useFakeTimers();
    const asked = server(() => ({ status: 202, body: { id: `c-${asked.length}`, site: "demo", target: "gate-in", kind: "hit.acknowledge", state: "asked", reason: "" } }));
    live.events = [hit(29, "京A00001"), hit(27, "粤B88888")];
    leave = mount(BlockedCard);
    const first = at(T.blockedCard).dataset.plate;
    at(T.blockedSeen).focus();
    at(T.blockedSeen).click();
    await settled();
    expect(at(T.blockedCard).dataset.plate).not.toBe(first);
    expect(document.activeElement).not.toBe(at(T.blockedSeen));
    at(T.blockedSeen).click();
    await settled();
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(SETTLE_MS);
    at(T.blockedSeen).click();
    await settled();
    expect(asked).toHaveLength(2);
  });

  it("is noted at once by whoever asked to see it", async () => {
    const asked = server(() => ({ status: 202, body: { id: "c-9", site: "demo", target: "gate-in", kind: "hit.acknowledge", state: "asked", reason: "" } }));
    live.events = [hit(19, "京A00001"), hit(17, "粤B88888")];
    leave = mount(BlockedCard);
    at(T.blockedNext).click();
    await settled();
    at(T.blockedSeen).click();
    await settled();
    expect(asked[0]?.body).toMatchObject({ subject: { seq: 17 } });
  });

  it("is found also by who opens a screen long after, and what was noted is not", async () => {
    const long = 3 * 24 * 60 * MINUTE;
    const asked = server(({ path }) => ({
      status: 200,
      body: path.startsWith("/api/entries")
        ? { items: [hit(5, "粤B88888", long), hit(3, "京A00001", long)].map((event) => ({ event })), next: null }
        : { items: [noted(6, 3)], next: null },
    }));
    live.events = [access(400)];
    leave = mount(Both);
    live.asOf = new Date().toISOString();
    await settled();
    expect(asked.map(({ path }) => path.split("?")[0]).sort()).toEqual(["/api/entries", "/api/events"]);
    expect(hits.value.map(({ newest }) => newest.credential?.value)).toEqual(["粤B88888"]);
    expect(banner("hit")?.textContent).toContain("粤B88888");
    live.events = [noted(401, 5), ...live.events];
    await settled();
    expect(hits.value).toEqual([]);
  });

  it("is kept however much comes after it, and so is the note of one", async () => {
    const port = { postMessage: vi.fn(), close: vi.fn(), onmessage: null as ((message: MessageEvent) => void) | null };
    vi.stubGlobal("navigator", { locks: undefined });
    vi.stubGlobal("SharedWorker", class {
      port = port;
      onerror = null;
    });
    server(() => ({ status: 200, body: { items: [], next: null } }));
    watchSite("demo");
    const tell = (data: unknown): void => port.onmessage?.({ data } as MessageEvent);
    const plates = (): unknown[] => hits.value.map(({ newest }) => newest.credential?.value);
    tell({ type: "snapshot", snapshot: snapshot({ events: [hit(1007, "粤B88888"), hit(1005, "京A00001")] }) });
    await settled();
    tell({ type: "events", events: [hit(1009, "沪C00002"), noted(1008, 1005)] });
    expect(plates()).toEqual(["沪C00002", "粤B88888"]);
    live.events = [access(9000)]; // thousands later
    expect(plates()).toEqual(["沪C00002", "粤B88888"]);
    tell({ type: "reset" }); // the link was away
    expect(plates()).toEqual(["沪C00002", "粤B88888"]);
    session.user = { ...session.user, id: "another" } as typeof session.user;
    expect(plates()).toEqual([]);
    stopWatching();
  });

  it("is looked for again where that failed, under the same snapshot", async () => {
    vi.useFakeTimers();
    let there = false;
    server(({ path }) => {
      if (!there) return { status: 503, body: { error: { code: "busy", message: "", fields: {} } } };
      return { status: 200, body: { items: path.startsWith("/api/entries") ? [{ event: hit(2005, "粤B88888") }] : [], next: null } };
    });
    live.events = [access(9000)];
    live.asOf = "2026-03-09T00:00:00.000Z";
    await settled();
    there = true;
    expect(hits.value).toEqual([]);
    await vi.advanceTimersByTimeAsync(AGAIN_MS);
    await settled();
    expect(hits.value.map(({ newest }) => newest.event.id)).toEqual([2005]);
  });

  it("is told to none who may not see who passes", () => {
    session.can = [];
    live.events = [hit(7, "粤B88888")];
    expect(hits.value).toEqual([]);
  });

  it("counts in the title with alarms and cars that wait", async () => {
    const reason = { code: "visitor_ask", zh: "访客", en: "Visitor" };
    const waits = access(8, { kind: "access.denied", source: "gate-out", data: { credential: { kind: "plate", value: "沪B1" }, rule: "visitor", reason, stands: true } });
    const car = { plate: "沪B1", read_at: null, picture: null, stream: "f".repeat(32), seq: 8, outcome: "denied", holder: null, blocked: false } as const;
    live.alarms.set("a", alarm("a"));
    live.events = [waits, hit(7, "粤B88888")];
    live.lanes.set("demo/gate-out", { ...lane("gate-out"), car });
    leave = mount(defineComponent(() => (useTitle(), () => null)));
    await settled();
    expect(document.title).toContain("(3) ");
    live.lanes.set("demo/gate-out", lane("gate-out"));
    await settled();
    expect(document.title).toContain("(2) ");
  });
});

describe("the bell", () => {
  const struck = vi.fn();
  class Sounding extends EventTarget {
    state = "running";
    currentTime = 0;
    destination = {};
    resume = (): Promise<void> => Promise.resolve();
    createOscillator(): unknown {
      struck();
      const node = { frequency: {}, connect: () => node, start: () => undefined, stop: () => undefined };
      return node;
    }
    createGain(): unknown {
      return { gain: { setValueAtTime: () => undefined, exponentialRampToValueAtTime: () => undefined }, connect: () => undefined };
    }
  }
  /** Tones of one call. */
  const HIT = 4;

  it("rings for a hit again and again until it is noted, seldom once its car has long gone", async () => {
    vi.useFakeTimers();
    vi.stubGlobal("AudioContext", Sounding);
    struck.mockClear();
    leave = mount(defineComponent(() => (useBell(), () => null)));
    live.events = [hit(7, "粤B88888")];
    await settled();
    expect(struck).toHaveBeenCalledTimes(HIT);
    await vi.advanceTimersByTimeAsync(3 * BELL_MS);
    expect(struck).toHaveBeenCalledTimes(4 * HIT);
    live.events = [noted(8, 7), ...live.events];
    await vi.advanceTimersByTimeAsync(3 * BELL_MS);
    expect(struck).toHaveBeenCalledTimes(4 * HIT);
    struck.mockClear();
    live.events = [hit(9, "京A00001", 95 * MINUTE)];
    await vi.advanceTimersByTimeAsync(30 * BELL_MS);
    expect(struck).toHaveBeenCalledTimes(2 * HIT); // when it came to be known, and once since
  });
});

describe("the red word that nothing would be heard", () => {
  it("stands beside whatever else the strip of a phone has to say", async () => {
    phone.value = true;
    preferences.sound = false;
    session.user = { ...session.user, role: "guard" } as typeof session.user;
    live.events = [hit(7, "粤B88888", 95 * MINUTE)];
    session.weakPassword = true;
    leave = mount(StatusStrip);
    await settled();
    expect(banner("hit")?.title).toContain("粤B88888"); // beside a lost link too
    expect(banner("sound-off")?.textContent).toContain("无声");
    expect(banner("sound-off")?.getAttribute("aria-label")).toContain("告警不会响铃");
    expect(at(T.stripMore).textContent).toContain("1");
    at(T.soundOn).click();
    expect(preferences.sound).toBe(true);
    session.weakPassword = false;
  });

  it("is said to whoever is on the duty page, and elsewhere not to who chose it", async () => {
    preferences.sound = false;
    const { leave: gone, router } = mounted(StatusStrip);
    leave = gone;
    await router.push("/tickets");
    await settled();
    expect(banner("sound-off")).toBeNull();
    await router.push("/guard");
    await settled();
    expect(banner("sound-off")?.className).toContain("no");
  });
});
