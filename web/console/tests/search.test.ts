import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { addressOfFound } from "@/shell/addresses";
import SearchButton from "@/shell/SearchButton.vue";
import "@/shell/SearchDialog.vue"; // it comes when it is first wanted: here it is there already
import { session } from "@/shell/stores/session";
import { T } from "@/testids";
import { at, mount, server, settled, type, type Asked } from "./mounting";

const push = vi.fn();
vi.mock("vue-router", async (original) => ({
  ...(await original<typeof import("vue-router")>()),
  useRouter: () => ({ push }),
}));

const text = (words: string) => ({ zh: words, en: words });
const GROUPS = [
  {
    kind: "vehicle",
    items: [{ kind: "vehicle", id: "沪A12345", site: "demo", title: text("沪A12345"), detail: text("周建国 · 3-1201") }],
    more: false,
  },
  {
    kind: "person",
    items: [{ kind: "person", id: "h-1", site: "demo", title: text("周建国"), detail: text("3-1201") }],
    more: true,
  },
];

describe("the box for everything", () => {
  let leave = (): void => undefined;
  let asked: Asked[] = [];

  beforeEach(async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    push.mockReset();
    session.user = { id: "u", username: "wang", name: "王", role: "guard", language: "zh", sites: ["demo"] };
    session.can = ["watch"];
    asked = server(({ path }) => ({ status: 200, body: { groups: path.includes("q=zjg") ? GROUPS : [] } }));
    leave = mount(SearchButton);
    dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true, cancelable: true }));
    await vi.waitFor(() => at(T.searchInput));
  });
  afterEach(() => {
    leave();
    session.user = null;
    session.can = [];
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const press = async (key: string): Promise<void> => {
    at(T.searchInput).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    await settled();
  };
  const chosen = () => document.querySelector("[aria-selected=true]")?.getAttribute("data-testid");

  it("is walked with the arrows and opens with Enter", async () => {
    await type(at(T.searchInput), "zjg");
    await vi.advanceTimersByTimeAsync(200);
    await settled();
    expect(asked.map(({ path }) => path)).toEqual(["/api/search?q=zjg"]);
    expect(chosen()).toBe(T.searchFound("vehicle", "沪A12345"));
    await press("ArrowDown");
    expect(chosen()).toBe(T.searchFound("person", "h-1"));
    expect(at(T.searchInput).getAttribute("aria-activedescendant")).toBe("found-1");
    await press("ArrowUp");
    await press("ArrowUp");
    expect(chosen()).toBe(T.searchEntries);
    await press("ArrowDown");
    await press("ArrowDown");
    await press("Enter");
    expect(push).toHaveBeenCalledWith("/people/h-1?site=demo");
  });

  it("has what was typed before it was there, and no other page hears of it", async () => {
    leave();
    leave = mount(SearchButton);
    const heard = vi.fn();
    dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true, cancelable: true }));
    addEventListener("keydown", heard);
    for (const key of ["8", "7", "Backspace", "8"]) document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    removeEventListener("keydown", heard);
    expect(heard).not.toHaveBeenCalled();
    await vi.waitFor(() => expect(at<HTMLInputElement>(T.searchInput).value).toBe("88"));
  });

  it("waits for the answer where Enter comes right after the last letter", async () => {
    await type(at(T.searchInput), "zjg");
    await press("Enter");
    await settled();
    expect(push).toHaveBeenCalledWith(`/vehicles/${encodeURIComponent("沪A12345")}?site=demo`);
  });

  it("says that nothing was found, and looks in all entries then", async () => {
    await type(at(T.searchInput), "没有这个");
    await vi.advanceTimersByTimeAsync(200);
    await settled();
    expect(document.body.textContent).toContain("没有找到");
    await press("Enter");
    expect(push).toHaveBeenCalledWith(`/history?q=${encodeURIComponent("没有这个")}`);
  });

  it("knows where everything is", () => {
    const of = (kind: Parameters<typeof addressOfFound>[0]["kind"], id = "x/1") => addressOfFound({ kind, id, site: "" });
    expect([of("device"), of("ticket"), of("alarm"), of("place"), of("meter")]).toEqual([
      "/devices/x%2F1",
      "/tickets/x%2F1",
      "/alarms/x%2F1",
      "/places/x%2F1",
      "/meters/x%2F1",
    ]);
    const there = (kind: Parameters<typeof addressOfFound>[0]["kind"]) => addressOfFound({ kind, id: "x", site: "demo" });
    expect([there("place"), there("vehicle"), there("meter")]).toEqual([
      "/places/x?site=demo",
      "/vehicles/x?site=demo",
      "/meters/x?site=demo",
    ]);
  });
});
