import { afterEach, expect, it, vi } from "vitest";

import type { Layout } from "@/api/types";
import ReasonDialog from "@/shell/ReasonDialog.vue";
import { askWhy } from "@/shell/stores/asking";
import { layouts } from "@/shell/stores/site";
import { T } from "@/testids";
import { at, mount, server, settled } from "./mounting";

let leave = (): void => undefined;

afterEach(() => {
  leave();
  layouts.clear();
  vi.unstubAllGlobals();
});

it("asks until when a door stays unlocked, and does so at every door of the site", async () => {
  const doors = ["lobby", "garage"].map((id) => ({ id, name: { zh: id, en: id }, readers: [], zones: [] }));
  layouts.set("demo", { site: "demo", doors, lanes: [], devices: [], zones: [], points: [], meters: [] } as unknown as Layout);
  const asked = server(({ body }) => ({ status: 202, body: { id: "c-1", ...(body as object), state: "asked", by: {}, result: null } }));
  leave = mount(ReasonDialog);
  askWhy({ opening: "mode", site: "demo", target: "lobby" });
  await settled();
  at(T.modeChoice("unlocked")).click();
  at(T.askReason(1)).click();
  await settled();
  // Nobody forgets by accident to say when it ends.
  expect(at<HTMLButtonElement>(T.askSend).disabled).toBe(true);
  at(T.modeLasting("7200")).click();
  at(T.modeEvery).click();
  await settled();
  at(T.askSend).click();
  await vi.waitFor(() => expect(asked).toHaveLength(2));
  const bodies = asked.map(({ body }) => body as { target: string; args: object });
  expect(bodies.map(({ target }) => target)).toEqual(["lobby", "garage"]);
  expect(bodies[0]!.args).toEqual({ mode: "unlocked", for_s: 7200 });
});

it("lets somebody say that they end it themselves", async () => {
  const asked = server(({ body }) => ({ status: 202, body: { id: "c-1", ...(body as object), state: "asked", by: {}, result: null } }));
  leave = mount(ReasonDialog);
  askWhy({ opening: "mode", site: "demo", target: "lobby" });
  await settled();
  at(T.modeChoice("locked")).click();
  await settled();
  at(T.modeLasting("ended")).click();
  at(T.askReason(1)).click();
  await settled();
  at(T.askSend).click();
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  expect((asked[0]!.body as { args: object }).args).toEqual({ mode: "locked" });
});
