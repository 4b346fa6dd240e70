import { afterEach, expect, it, vi } from "vitest";

import Sites from "@/areas/sites/Sites.vue";
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
