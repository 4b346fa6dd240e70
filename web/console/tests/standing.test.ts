/** What a panel may say of itself: calm only while it knows, and old things as old. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Gateway } from "@/api/types";
import type { LinkStatus } from "@/live/link";
import { gatewayStanding, linkStanding, worst, type Standing } from "@/live/standing";
import { preferences } from "@/kit/preferences";
import NothingHere from "@/shell/marks/NothingHere.vue";
import { askWhy, question } from "@/shell/stores/asking";
import { live } from "@/shell/stores/live";
import { session } from "@/shell/stores/session";
import { reachable, standingOf } from "@/shell/stores/standing";
import StatusStrip from "@/shell/StatusStrip.vue";
import { T } from "@/testids";
import { at, mount, settled } from "./mounting";

vi.mock("@/kit/notice", () => ({ notice: vi.fn() }));

const AT = "2026-03-09T08:00:00.000Z";
const NOW = Date.parse(AT) + 60_000;

const status = (state: LinkStatus["state"], ago: number, heardAgo: number | null = null): LinkStatus => ({
  state,
  since: NOW - ago,
  retryAt: null,
  heardAt: heardAgo === null ? null : NOW - heardAgo,
});

describe("the link's standing", () => {
  const cases: [string, LinkStatus, string | null, Standing][] = [
    ["at first it loads", status("connecting", 1000), null, { state: "loading" }],
    ["what has not come for 3 s is not known", status("connecting", 3000), null, { state: "unknown", why: "link" }],
    ["a server that refused tells nothing", status("lost", 10), null, { state: "unknown", why: "link" }],
    ["connected, and the snapshot is on its way", status("live", 10), null, { state: "loading" }],
    ["live", status("live", 9000, 100), AT, { state: "live" }],
    ["a hiccup is not told", status("lost", 1000, 1500), AT, { state: "live" }],
    ["silence is told at once", status("lost", 10, 8000), AT, { state: "stale", since: NOW - 8000, why: "link" }],
    ["old since it was last heard", status("lost", 2000, 9000), AT, { state: "stale", since: NOW - 9000, why: "link" }],
    ["connecting again", status("connecting", 2000), AT, { state: "stale", since: Date.parse(AT), why: "link" }],
  ];
  it.each(cases)("%s", (_, link, asOf, standing) => expect(linkStanding(link, asOf, NOW)).toEqual(standing));
});

describe("a gateway's standing", () => {
  const gateway = (online: boolean | null, seen_at: string | null): Gateway => ({ online, seen_at }) as Gateway;
  it("is as old as the last word of the one that is away", () => {
    expect(gatewayStanding([gateway(true, AT)])).toEqual({ state: "live" });
    expect(gatewayStanding([gateway(true, null), gateway(false, AT)])).toEqual({
      state: "stale",
      since: Date.parse(AT),
      why: "gateway",
    });
    expect(gatewayStanding([gateway(null, null)])).toEqual({ state: "unknown", why: "gateway" });
  });
  it("counts as the worst of several", () => {
    expect(worst([])).toEqual({ state: "live" });
    expect(worst([{ state: "live" }, { state: "unknown", why: "link" }, { state: "loading" }]).state).toBe("unknown");
  });
});

describe("a site whose gateway is away", () => {
  let leave: () => void = () => undefined;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: NOW });
    session.about = { server: "hub" } as typeof session.about;
    live.asOf = AT;
    live.gateways.set("gw-1", { id: "gw-1", site: "a", online: false, seen_at: AT, backlog: 0 } as Gateway);
    live.gateways.set("gw-2", { id: "gw-2", site: "b", online: true, seen_at: AT, backlog: 0 } as Gateway);
  });
  afterEach(() => {
    leave();
    vi.useRealTimers();
    live.gateways.clear();
    live.asOf = null;
    session.about = null;
    question.value = null;
  });

  it("is told in the strip, is asked nothing, and the others go on", async () => {
    leave = mount(StatusStrip);
    await settled();
    expect(document.querySelector('[data-banner="gateway-offline"]')?.textContent).toContain("指令到不了");
    expect([reachable("a"), reachable("b")]).toEqual([false, true]);
    askWhy({ opening: "open", site: "a", target: "gate-in" });
    expect(question.value).toBeNull();
    askWhy({ opening: "open", site: "b", target: "gate-in" });
    expect(question.value).not.toBeNull();
  });

  it("never has an empty list look calm", async () => {
    leave = mount(NothingHere, { site: "a", good: true });
    await settled();
    // Nothing was ever heard of this link: not even the site that is there is known.
    expect(standingOf("b").state).not.toBe("live");
    expect(at(T.nothing).className).not.toContain("good");
    expect(at(T.nothing).dataset.standing).toBe("stale");
  });
});

it("says in red that a guard who keeps watch would hear nothing, and turns it on again", async () => {
  session.user = { id: "u", role: "guard", sites: ["a"], name: "王" } as typeof session.user;
  session.can = ["watch"];
  preferences.sound = false;
  const leave = mount(StatusStrip);
  await settled();
  expect(document.querySelector('[data-banner="sound-off"]')?.className).toContain("no");
  at(T.soundOn).click();
  await settled();
  expect(preferences.sound).toBe(true);
  expect(document.querySelector('[data-banner="sound-off"]')).toBeNull();
  leave();
  session.user = null;
  session.can = [];
});
