import { afterEach, expect, it, vi } from "vitest";

import type { User } from "@/api/types";
import People from "@/areas/people/People.vue";
import { session } from "@/shell/stores/session";
import { sites } from "@/shell/stores/site";
import { at, mount, server, settled, type } from "./mounting";

/** Pickers of dates are drawn slowly without a browser, and slower beside other tests. */
const SLOW_MS = 30_000;

let leave = (): void => undefined;

afterEach(() => {
  leave();
  session.user = null;
  sites.items = [];
  vi.unstubAllGlobals();
});

it("registers somebody while all sites are shown, also when the sites come after the page", async () => {
  session.user = { id: "u", username: "mei", name: "梅", role: "manager", sites: ["*"], language: "zh" } as User;
  session.can = ["people.read", "people.write"];
  const holder = { id: "h1", site: "annex", name: "周", unit: "", kind: "resident", version: 1 };
  const asked = server(({ method }) =>
    method === "POST" ? { status: 201, body: holder } : { status: 200, body: { items: [], next: null } },
  );
  leave = mount(People);
  await settled();
  sites.items = [
    { id: "demo", name: "云杉苑" },
    { id: "annex", name: "南园" },
  ];
  await settled();
  at("holder-new").click();
  await settled();
  await vi.waitFor(() => expect(at("holder-site")).toBeTruthy());
  await type(at("holder-name"), "周");
  at("holder-send").click();
  await vi.waitFor(() => expect(asked.some(({ method }) => method === "POST")).toBe(true));
  const posted = asked.find(({ method }) => method === "POST")!;
  expect(JSON.stringify([posted.path, posted.body])).toContain("demo");
}, SLOW_MS);
