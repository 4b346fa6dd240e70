/** A newer release: offered at once, taken by itself where nobody would notice, and never from under a hand. */

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { nextTick } from "vue";

import { openDrafts } from "@/kit/drafts";
import { outdated } from "@/shell/offline";
import { watchRelease } from "@/shell/release";
import StatusStrip from "@/shell/StatusStrip.vue";
import { link } from "@/shell/stores/live";
import { T } from "@/testids";
import { at, mount, settled } from "./mounting";

const sound = vi.hoisted(() => ({ runs: false }));
vi.mock("@/shell/stores/sound", async (original) => ({
  ...(await original<typeof import("@/shell/stores/sound")>()),
  soundRuns: { get value() { return sound.runs; } },
}));
vi.mock("@/shell/stores/live", async (original) => ({
  ...(await original<typeof import("@/shell/stores/live")>()),
  link: { value: { state: "live", since: 0, retryAt: null, heardAt: null } },
}));

const MINUTES = 60_000;
let busy = false;
let leave: (() => void)[] = [];
const reload = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(location, "reload").mockImplementation(reload);
  reload.mockReset();
  [busy, sound.runs] = [false, false];
  leave = [watchRelease(() => busy)];
});
afterEach(() => {
  for (const each of leave) each();
  outdated.value = false;
  openDrafts.clear();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function pass(minutes: number): Promise<void> {
  await nextTick();
  await vi.advanceTimersByTimeAsync(minutes * MINUTES);
}

it("is offered in the strip, and taken by a press", async () => {
  leave.push(mount(StatusStrip));
  expect(document.querySelector(`[data-testid="${T.releaseTake}"]`)).toBeNull();
  outdated.value = true;
  await settled();
  at(T.releaseTake).click();
  await settled();
  expect(reload).toHaveBeenCalledOnce();
});

it("is taken by itself once nobody has touched the page for ten minutes", async () => {
  await pass(60);
  expect(reload).not.toHaveBeenCalled(); // there is none
  dispatchEvent(new Event("pointerdown"));
  outdated.value = true;
  await pass(9);
  expect(reload).not.toHaveBeenCalled();
  await pass(2);
  expect(reload).toHaveBeenCalled();
});

it.each<[string, () => void]>([
  ["while something is written", () => void openDrafts.set("ack:1", 1)],
  ["while a field has the focus", () => {
    const field = document.body.appendChild(document.createElement("input"));
    field.focus();
    leave.push(() => field.remove());
  }],
  ["while the page rings or commands are under way", () => (busy = true)],
  ["where it may be heard, and would be silent", () => (sound.runs = true)],
  ["without a server", () => {
    const before = link.value;
    (link as { value: unknown }).value = { ...before, state: "lost" };
    leave.push(() => ((link as { value: unknown }).value = before));
  }],
])("is not taken by itself %s", async (_, given) => {
  given();
  outdated.value = true;
  await pass(30);
  expect(reload).not.toHaveBeenCalled();
});
