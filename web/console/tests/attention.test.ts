/** What must not be missed, and what must not look calm while nobody knows: the bell, and the overview's numbers. */

import { afterEach, describe, expect, it, vi } from "vitest";

import type { Alarm } from "@/api/types";
import Sites from "@/areas/sites/Sites.vue";
import { preferences } from "@/kit/preferences";
import { rings } from "@/live/alarms";
import StatusStrip from "@/shell/StatusStrip.vue";
import { sites } from "@/shell/stores/site";
import { openSound, play, soundBlocked } from "@/shell/stores/sound";
import { T } from "@/testids";
import { at, mount, server, settled } from "./mounting";

let leave: (() => void) | null = null;

afterEach(() => {
  leave?.();
  leave = null;
  vi.unstubAllGlobals();
});

describe("the bell", () => {
  it("is on until somebody turns it off here", () => {
    expect(preferences.sound).toBe(true);
  });

  it("rings until it is acknowledged, also when the fault was gone before anybody saw it", () => {
    const said = (state: string, severity = "critical"): Alarm => ({ state, severity }) as Alarm;
    expect(["active", "cleared", "acknowledged", "shelved", "closed"].map((state) => rings(said(state)))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect([rings(said("active", "major")), rings(said("active", "minor"))]).toEqual([true, false]);
  });

  it("says when the browser does not let it be heard, and opens with a touch", async () => {
    let allowed = false;
    const struck = vi.fn();
    class Silent extends EventTarget {
      state = "suspended";
      currentTime = 0;
      destination = {};
      resume(): Promise<void> {
        if (!allowed) return new Promise(() => undefined); // as browsers do before the first touch
        this.state = "running";
        this.dispatchEvent(new Event("statechange"));
        return Promise.resolve();
      }
      createOscillator(): unknown {
        struck();
        const node = { frequency: {}, connect: () => node, start: () => undefined, stop: () => undefined };
        return node;
      }
      createGain(): unknown {
        const gain = { setValueAtTime: () => undefined, exponentialRampToValueAtTime: () => undefined };
        return { gain, connect: () => undefined };
      }
    }
    vi.stubGlobal("AudioContext", Silent);
    leave = mount(StatusStrip);
    play("alarm");
    await settled();
    expect(soundBlocked.value).toBe(true);
    expect(document.querySelector('[data-banner="sound-blocked"]')?.textContent).toContain("声音未开启");
    expect(struck).not.toHaveBeenCalled();

    preferences.sound = false;
    await settled();
    expect(document.querySelector('[data-banner="sound-blocked"]')).toBeNull();
    preferences.sound = true;
    await settled();

    allowed = true;
    at(T.soundOpen).click();
    await settled();
    expect(document.querySelector('[data-banner="sound-blocked"]')).toBeNull();
    play("alarm");
    expect(struck).toHaveBeenCalledTimes(2);
    openSound();
    expect(soundBlocked.value).toBe(false);
  });
});

describe("the overview", () => {
  it("shows the server's numbers, and what nobody knows as unknown", async () => {
    const name = (zh: string) => ({ zh, en: zh });
    sites.items = ["demo", "new"].map((id) => ({ id, name: name(id), timezone: "Asia/Shanghai" })) as never;
    const item = (site: string, more: object) => ({ site, tickets: 0, denied_since: "2026-11-28T00:00:00Z", ...more });
    const keys = ["alarms", "critical", "tickets", "doors_open", "denied"];
    server(({ path }) => ({
      status: 200,
      body: {
        items: path.endsWith("/numbers") ? keys.map((key) => ({ key, name: key, definition: key, rows: "/guard" })) : [
          item("demo", { alarms: { critical: 1, major: 2, minor: 0, warning: 0 }, tickets: 4, doors_open: 0, denied: 7 }),
          item("new", { alarms: null, doors_open: null, denied: null }),
        ],
        next: null,
      },
    }));
    leave = mount(Sites);
    const numbers = (site: string) => [...at(T.siteCard(site)).querySelectorAll("dd")].map((dd) => dd.textContent?.trim());
    expect(numbers("demo")).toEqual([]);
    await settled();
    expect(numbers("demo")).toEqual(["3", "1", "4", "0", "7"]);
    expect(numbers("new")).toEqual(["–", "–", "0", "–", "–"]);
    sites.items = [];
  });
});
