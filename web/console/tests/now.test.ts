/** The large picture: whose it is, how long it stays under a hand, and seven lanes at once. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { h, ref } from "vue";

import type { StandingCar } from "@/api/types";
import BlockedCard from "@/areas/guard/BlockedCard.vue";
import EntryFeed from "@/areas/guard/EntryFeed.vue";
import Guard from "@/areas/guard/Guard.vue";
import { REST_MS } from "@/areas/guard/holding";
import LanesPanel from "@/areas/guard/LanesPanel.vue";
import NowPanel from "@/areas/guard/NowPanel.vue";
import { desk, phone } from "@/kit/screen";
import { question } from "@/shell/stores/asking";
import { acknowledging, together } from "@/shell/stores/handling";
import { live } from "@/shell/stores/live";
import { session } from "@/shell/stores/session";
import { T } from "@/testids";
import { access, alarm, lane } from "./items";
import { at, mount, mounted, server, settled } from "./mounting";

let leave = (): void => undefined;

/** A car that waits before a barrier, since `second`. */
function waits(id: string, second: number): void {
  const car: StandingCar = {
    plate: `沪${id}`,
    read_at: `2026-03-09T00:00:${String(second).padStart(2, "0")}.000Z`,
    picture: null,
    stream: "f".repeat(32),
    seq: second,
    outcome: "denied",
    holder: null,
    blocked: false,
  };
  live.lanes.set(`demo/${id}`, { ...lane(id), car });
}
const shown = (): string | undefined => at(T.now).dataset.lane;
const say = (event: Event, where = at(T.now)): void => void where.dispatchEvent(event);
const pointer = (name: string, pointerType = "mouse"): Event =>
  Object.assign(new Event(name, { bubbles: name !== "pointerleave" }), { pointerType });
const pass = async (ms: number): Promise<void> => {
  await vi.advanceTimersByTimeAsync(ms);
  await settled();
};

beforeEach(() => {
  vi.useFakeTimers();
  session.user = { id: "u", username: "u", name: "u", role: "guard", sites: ["demo"] } as unknown as typeof session.user;
  session.can = ["open", "watch"];
  server(() => ({ status: 200, body: { items: [], next: null } }));
  for (const id of ["a", "b", "c"]) live.lanes.set(`demo/${id}`, lane(id));
});
afterEach(() => {
  leave();
  leave = () => undefined;
  vi.useRealTimers();
  vi.unstubAllGlobals();
  session.user = null;
  session.can = [];
  live.lanes.clear();
  live.events = [];
  question.value = null;
  phone.value = false;
  desk.value = false;
});

describe("the large picture", () => {
  it("goes to whoever waits longest, and stays under a hand that moves", async () => {
    leave = mount(NowPanel);
    waits("b", 10);
    await settled();
    expect(shown()).toBe("b");
    say(pointer("pointermove"));
    live.lanes.set("demo/b", lane("b"));
    waits("c", 20);
    await pass(REST_MS - 1000);
    say(pointer("pointermove"));
    await pass(REST_MS - 1000);
    expect(shown()).toBe("b");
    say(pointer("pointerleave"));
    await settled();
    expect(shown()).toBe("c");
  });

  it("is not frozen by a mouse that was left there, nor by a finger that touched another lane", async () => {
    leave = mount(NowPanel);
    waits("b", 10);
    await settled();
    say(pointer("pointermove"));
    live.lanes.set("demo/b", lane("b"));
    waits("c", 20);
    await pass(REST_MS + 1);
    expect(shown()).toBe("c");
    say(pointer("pointerdown", "touch"), at(T.nowOther("a")));
    at(T.nowOther("a")).click();
    say(pointer("pointerleave", "touch"));
    await settled();
    expect(shown()).toBe("a");
    await pass(REST_MS + 1);
    expect(shown()).toBe("c");
  });

  it("stays under the keyboard too, and while somebody answers about it", async () => {
    leave = mount(NowPanel);
    waits("b", 10);
    await settled();
    at(T.nowOpen).focus();
    live.lanes.set("demo/b", lane("b"));
    waits("c", 20);
    await pass(1000);
    expect(shown()).toBe("b");
    at(T.nowOpen).click();
    expect(question.value?.target).toBe("b");
    await pass(5 * REST_MS);
    expect(shown()).toBe("b");
    question.value = null;
    await pass(REST_MS + 1);
    expect(shown()).toBe("c");
  });

  it("opens no lane that took the place of the one that was meant", async () => {
    leave = mount(NowPanel);
    waits("b", 10);
    await settled();
    live.lanes.set("demo/b", lane("b"));
    waits("c", 20);
    await settled();
    at(T.nowOpen).click();
    expect(question.value).toBeNull();
    await pass(600);
    at(T.nowOpen).click();
    expect(question.value?.target).toBe("c");
  });

  it("is there on a desk, on a tablet and on a phone, where the alarms have the whole height", async () => {
    for (const [wide, narrow] of [
      [true, false],
      [false, false],
      [false, true],
    ]) {
      [desk.value, phone.value] = [wide!, narrow!];
      const { leave: gone } = mounted(Guard);
      leave = gone;
      await settled();
      expect(shown()).toBeDefined();
      if (narrow) {
        at(T.guardTab("alarms")).click();
        await pass(50);
        expect(document.querySelector(`[data-testid="${T.now}"]`)).toBeNull();
      }
      leave();
    }
  });
});

it("takes no digit for a lane while a dialog is on its way that was asked for", async () => {
  leave = mount(Guard);
  await settled();
  const press = async (key: string): Promise<void> => {
    dispatchEvent(new KeyboardEvent("keydown", { key }));
    await settled();
  };
  await press("1");
  expect(question.value?.target).toBe("a");
  await press("2");
  expect(question.value?.target).toBe("a");
  question.value = null;
  acknowledging.value = alarm("a-1");
  await press("2");
  acknowledging.value = null;
  together.value = { act: "ack", alarms: [alarm("a-1")], title: "" };
  await press("2");
  together.value = null;
  const target = (): string | undefined => question.value?.target;
  expect(target()).toBeUndefined();
  await press("2");
  expect(target()).toBe("b");
});

it("says on a phone too what was decided, and leaves out no more than why", () => {
  const source = readFileSync(join(import.meta.dirname, "../src/areas/guard/NowPanel.vue"), "utf8");
  const hidden = /([^{}]*)\{\s*display: none;/.exec(source.slice(source.indexOf("@media (width < 760px)")))?.[1];
  expect(hidden?.split(",").map((each) => each.trim())).toEqual([".reason", ".others", ".way", "kbd"]);
});

it("draws seven lanes, each with its key, and the six others beside the large one", async () => {
  for (const id of ["d", "e", "f", "g"]) live.lanes.set(`demo/${id}`, lane(id));
  const panel = ref<InstanceType<typeof LanesPanel> | null>(null);
  leave = mount({ setup: () => () => [h(NowPanel), h(LanesPanel, { ref: panel })] });
  await settled();
  const keys = [...document.querySelectorAll('[data-testid^="lane-open-"] kbd')].map((key) => key.textContent);
  expect(keys).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
  expect(document.querySelectorAll('[data-testid^="now-other-"]')).toHaveLength(6);
  panel.value?.askNth(6);
  expect(question.value?.target).toBe("g");
});

it("reads out what comes, and a hit at once", async () => {
  const reason = { code: "blocked_plate", zh: "黑名单车辆", en: "Blocked" };
  const data = { rule: "block:b-1", credential: { kind: "plate", value: "粤B88888" }, reason };
  live.events = [access(7, { kind: "access.denied", source: "a", at: new Date().toISOString(), data })];
  leave = mount({ setup: () => () => [h(EntryFeed), h(BlockedCard)] });
  await settled();
  expect(at(T.feed).querySelector('[role="log"]')?.getAttribute("aria-label")).toBeTruthy();
  const alert = at(T.blockedCard).querySelector('[role="alert"]');
  expect(alert?.textContent).toContain("粤B88888");
});
