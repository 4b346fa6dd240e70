import { afterEach, expect, it, vi } from "vitest";

import Sites from "@/areas/sites/Sites.vue";
import { now } from "@/kit/clock";
import { sites } from "@/shell/stores/site";
import { at, mount, mounted, server, settled } from "./mounting";

const SEEN = {
  site: "demo",
  reported: true,
  alarms: { critical: 1, major: 0, minor: 0, warning: 0 },
  tickets: 0,
  doors_open: 0,
  denied: 2,
  denied_since: "2026-03-08T16:00:00.000Z",
  gateways_offline: 1,
  as_of: "2026-03-09T00:12:00.000Z",
};

let leave = (): void => undefined;

afterEach(() => {
  leave();
  sites.items = [];
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("asks a slow server once, and again when it has answered", async () => {
  vi.useFakeTimers();
  const waiting: (() => void)[] = [];
  vi.stubGlobal(
    "fetch",
    () => new Promise((answer) => waiting.push(() => answer(new Response('{"items": [], "next": null}')))),
  );
  leave = mount(Sites);
  vi.advanceTimersByTime(60_000);
  expect(waiting).toHaveLength(1);
  waiting[0]!();
  await vi.advanceTimersByTimeAsync(10_000);
  await settled();
  expect(waiting).toHaveLength(2);
});

it("says what a number counts, and opens the rows that it counted", async () => {
  const asked = server(({ path }) =>
    path === "/api/overview/numbers"
      ? {
          status: 200,
          body: {
            items: [
              { key: "critical", name: "紧急", definition: "级别为紧急", rows: "/alarms?state=active,acknowledged" },
              { key: "denied", name: "拒绝", definition: "零点起", rows: "/history?outcome=refused" },
            ],
            next: null,
          },
        }
      : { status: 200, body: { items: [SEEN, { ...SEEN, site: "new", reported: false, alarms: null, denied: null }], next: null } },
  );
  sites.items = [
    { id: "demo", name: "云杉苑" },
    { id: "new", name: "新项目" },
  ];
  const page = mounted(Sites);
  leave = page.leave;
  await settled();
  await settled();
  expect(asked.map(({ path }) => path)).toEqual(["/api/overview/numbers", "/api/overview"]);
  const critical = at("site-demo-critical");
  expect(critical.querySelector("abbr")!.title).toBe("级别为紧急");
  expect(at("site-demo").textContent).toContain("截至");
  at("site-demo-denied").querySelector("button")!.click();
  const rows = { outcome: "refused", site: "demo", from: SEEN.denied_since };
  await vi.waitFor(() => expect(page.router.currentRoute.value.query).toEqual(rows));
  // Of what nobody ever heard there are no numbers, not even noughts.
  expect(at("site-new").textContent).toContain("尚未接入");
  expect(at("site-new").querySelector("dl")).toBeNull();
});

it("marks the numbers of before while no answer comes, and has new ones when the link is back", async () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 2, 9, 0, 30) });
  sites.items = [{ id: "demo", name: "云杉苑" }];
  let hangs = false;
  let count = 3;
  vi.stubGlobal("fetch", (path: string) => {
    if (hangs) return new Promise(() => undefined);
    const number = { key: "tickets", name: "未关闭工单", definition: "…", rows: "/tickets?state=raised,taken,done" };
    const items = path.endsWith("numbers") ? [number] : [{ ...SEEN, as_of: null, gateways_offline: 0, tickets: count }];
    return Promise.resolve(new Response(JSON.stringify({ items, next: null })));
  });
  const pass = async (ms: number) => {
    await vi.advanceTimersByTimeAsync(ms);
    now.value = Date.now(); // whose own timer is of before the test
    await settled();
  };
  now.value = Date.now();
  leave = mount(Sites);
  await pass(1_000);
  const shown = () => at("site-demo-tickets").querySelector("button")!.textContent!.trim();
  expect([shown(), at("site-demo").textContent!.includes("截至")]).toEqual(["3", false]);
  hangs = true;
  await pass(30_000);
  expect([shown(), at("site-demo").textContent!.includes("截至")]).toEqual(["3", true]);
  expect(at("site-demo-tickets").className).toContain("old");
  [hangs, count] = [false, 4];
  await pass(40_000);
  expect([shown(), at("site-demo").textContent!.includes("截至")]).toEqual(["4", false]);
});
