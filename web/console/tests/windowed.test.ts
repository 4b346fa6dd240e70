/** A long list draws what is in sight, and no more. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import EntryFeed from "@/areas/guard/EntryFeed.vue";
import { MOST_DRAWN, rowAt, tops } from "@/kit/windowed";
import { fold } from "@/live/fold";
import { live } from "@/shell/stores/live";
import { T } from "@/testids";
import { access } from "./items";
import { at, mount, server, settled, type } from "./mounting";

it("knows where each row begins, and which one covers a height", () => {
  const begins = tops(4, (index) => [10, 20, 5, 40][index]!);
  expect(begins).toEqual([0, 10, 30, 35, 75]);
  expect([-5, 0, 9, 10, 34, 35, 74, 999].map((y) => rowAt(begins, y))).toEqual([0, 0, 0, 1, 2, 3, 3, 3]);
  expect(rowAt(tops(0, () => 1), 50)).toBe(0);
});

describe("a feed of 5,000", () => {
  let leave = (): void => undefined;

  beforeEach(() => {
    server(() => ({ status: 200, body: { items: [], next: null } }));
    live.events = [];
    fold(live, { type: "events", events: Array.from({ length: 5000 }, (_, place) => access(place + 1)) });
    leave = mount(EntryFeed);
  });
  afterEach(() => {
    leave();
    live.events = [];
    vi.unstubAllGlobals();
  });

  const ids = (): number[] =>
    [...document.querySelectorAll<HTMLElement>(`[data-testid="${T.entry}"]`)].map((row) => Number(row.dataset.id));

  async function scrollTo(top: number): Promise<void> {
    const box = document.querySelector<HTMLElement>(".box")!;
    box.scrollTop = top;
    box.dispatchEvent(new Event("scroll"));
    await settled();
  }

  it("draws a part of them, wherever one looks, and says how many there are", async () => {
    await settled();
    expect(ids()[0]).toBe(5000);
    await scrollTo(65 * 2000);
    expect(ids()).toContain(3000);
    expect(ids().length).toBeLessThan(MOST_DRAWN);
    expect(document.querySelector("[data-id='3000']")?.getAttribute("aria-posinset")).toBe("2001");
    expect(document.querySelector("[data-id='3000']")?.getAttribute("aria-setsize")).toBe("5000");
  });

  it("keeps the row with the focus, and does not move while it is held", async () => {
    await settled();
    document.querySelector<HTMLElement>("[data-id='4998'] .row")?.focus();
    await scrollTo(65 * 2000);
    expect(document.activeElement?.closest("[data-id]")?.getAttribute("data-id")).toBe("4998");
    const places = (): (string | null)[] => [...document.querySelectorAll(".entry")].map((row) => row.getAttribute("style"));
    const before = [ids(), places()];
    fold(live, { type: "events", events: [access(5001), access(5002)] });
    await settled();
    expect([ids(), places()]).toEqual(before);
    expect(at(T.feedNewer).textContent).toContain("2");
  });

  it("is left by Esc, which clears what was typed; P begins a plate", async () => {
    await settled();
    const press = (key: string, on: Element = document.body): void =>
      void on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    press("p");
    await settled();
    const field = document.querySelector<HTMLInputElement>(`input[data-testid="${T.feedSearch}"]`)!;
    expect(document.activeElement).toBe(field);
    expect(at(T.feedFilter("cars")).getAttribute("aria-pressed")).toBe("true");
    await type(field, "12345");
    press("Escape", field);
    await settled();
    expect(document.activeElement).not.toBe(field);
    expect(field.value).toBe("");
  });
});
