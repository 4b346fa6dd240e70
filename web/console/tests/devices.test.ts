/** The page of devices says only what the server says of each, and says so while it does not. */

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import DevicePeek from "@/areas/machines/DevicePeek.vue";
import Devices from "@/areas/machines/Devices.vue";
import { live } from "@/shell/stores/live";
import { layouts } from "@/shell/stores/site";
import { at, mount, server, settled } from "./mounting";

const LONG_AGO = "2025-11-02T03:04:05.000Z";
const POINT = { id: "meter-1.power", site: "demo", name: null, type: "number", unit: "kW", labels: {}, writable: false };

let leave = (): void => undefined;

beforeEach(() => {
  live.asOf = new Date().toISOString();
  const device = { id: "meter-1", name: { zh: "总表", en: "Main meter" }, profile: "p", bus: "b", kind: "meter", place: null };
  layouts.set("demo", { site: "demo", name: { zh: "云杉苑", en: "Court" }, timezone: "Asia/Shanghai", doors: [], lanes: [], points: [], devices: [device] } as never);
});
afterEach(() => {
  leave();
  layouts.clear();
  live.asOf = null;
  vi.unstubAllGlobals();
});

const page = (items: unknown[]) => ({ status: 200, body: { items, next: null } });

it("a device that was lost long before the newest events is lost, since then", async () => {
  server(({ path }) => {
    if (path.startsWith("/api/points")) return page([{ ...POINT, value: 5, quality: "stale", at: LONG_AGO }]);
    if (path.startsWith("/api/devices"))
      return page([{ id: "meter-1", site: "demo", online: false, since: LONG_AGO, why: "no answer" }]);
    return page([]);
  });
  leave = mount(Devices);
  await settled();
  await settled();
  const row = at("device-meter-1");
  expect(row.dataset.state).toBe("lost");
  expect(row.textContent).toContain("失联");
  expect(row.textContent).toContain("2025-11-02");
});

it("of nothing that could not be asked it says that it is well, nor that nothing happened", async () => {
  server(({ path }) => (path.startsWith("/api/points") ? page([{ ...POINT, value: 5, quality: "stale", at: LONG_AGO }]) : { status: 503 }));
  leave = mount(Devices);
  expect(document.body.textContent).toContain("正在加载");
  expect(document.body.textContent).not.toContain("没有设备失联");
  await settled();
  await settled();
  expect(at("device-meter-1").dataset.state).toBe("unknown");
  expect(document.body.textContent).not.toContain("没有设备失联");
});

it("the course of one device is asked for by its own name", async () => {
  const asked = server(() => page([]));
  leave = mount(DevicePeek, { id: "meter-1", site: "demo" });
  await settled();
  const course = asked.find(({ path }) => path.startsWith("/api/events"))!;
  expect(new URL(course.path, "http://x").searchParams.getAll("source")).toEqual(["meter-1"]);
});
