import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { EventItem, StandingCar } from "@/api/types";
import BlockedCard from "@/areas/guard/BlockedCard.vue";
import ReasonDialog from "@/shell/ReasonDialog.vue";
import { askWhy } from "@/shell/stores/asking";
import { live } from "@/shell/stores/live";
import { session } from "@/shell/stores/session";
import { T } from "@/testids";
import { access, other } from "./items";
import { at, mount, server, settled, type } from "./mounting";

const COMMAND = { id: "c-1", site: "demo", target: "gate-in", kind: "hit.acknowledge", state: "asked", reason: "" };
const PLATE = "粤B88888";

let leave = (): void => undefined;

beforeEach(() => {
  session.user = { id: "u", username: "guard", name: "刘师傅", role: "guard", sites: ["demo"] } as typeof session.user;
  session.can = ["open", "watch"];
});
afterEach(() => {
  leave();
  session.user = null;
  session.can = [];
  live.events = [];
  live.commands.clear();
  vi.unstubAllGlobals();
});

function hit(id: number): EventItem {
  return access(id, {
    kind: "access.denied",
    source: "gate-in",
    at: new Date().toISOString(),
    data: {
      rule: "block:b-1",
      credential: { kind: "plate", value: PLATE },
      reason: { code: "blocked_plate", zh: "黑名单车辆", en: "Blocked" },
    },
  });
}

const shown = (): boolean => document.querySelector(`[data-testid="${T.blockedCard}"]`) !== null;

describe("a hit on the block list", () => {
  it("is noted by a command, and comes back when that fails", async () => {
    const asked = server(() => ({ status: 202, body: COMMAND }));
    live.events = [hit(7), hit(6)];
    leave = mount(BlockedCard);
    at(T.blockedSeen).click();
    await settled();
    expect(asked[0]).toMatchObject({
      path: "/api/commands",
      body: {
        kind: "hit.acknowledge",
        target: "gate-in",
        reason_code: "hit_noted",
        subject: { stream: "f".repeat(32), seq: 7 },
      },
    });
    expect(shown()).toBe(false);
    live.commands.set("c-1", { ...COMMAND, state: "expired" } as never);
    await settled();
    expect(shown()).toBe(true);
  });

  it("goes on every screen once the gateway has recorded that somebody noted it", async () => {
    live.events = [hit(7)];
    leave = mount(BlockedCard);
    expect(shown()).toBe(true);
    const by = { id: "u", name: "刘师傅", role: "guard" };
    live.events = [other(8, "hit.acknowledged", { by, subject: { stream: "f".repeat(32), seq: 7 } }), hit(7)];
    await settled();
    expect(shown()).toBe(false);
  });

  it("stays and says why when it cannot be asked", async () => {
    server(() => ({ status: 403, body: { error: { code: "role", message: "没有权限", fields: {} } } }));
    live.events = [hit(7)];
    leave = mount(BlockedCard);
    at(T.blockedSeen).click();
    await settled();
    expect(at(T.blockedCard).textContent).toContain("没有权限");
  });
});

describe("opening for a car on the block list", () => {
  const car: StandingCar = {
    plate: PLATE,
    read_at: null,
    picture: null,
    stream: "f".repeat(32),
    seq: 7,
    outcome: "denied",
    holder: null,
    blocked: true,
  };

  it("takes the end of its plate and a reason in own words", async () => {
    const asked = server(() => ({ status: 202, body: { ...COMMAND, kind: "barrier.open" } }));
    leave = mount(ReasonDialog);
    askWhy({ opening: "open", site: "demo", target: "gate-in", car });
    await settled();
    const send = at<HTMLButtonElement>(T.askSend);
    at(T.askReason(8)).click();
    await settled();
    expect(at(T.askBlocked).textContent).toContain(PLATE);
    expect(send.disabled).toBe(true);
    await type(at(T.askPlateEnd), "8888");
    expect(send.disabled).toBe(true);
    await type(at(T.askFree), "警察同意");
    expect(send.disabled).toBe(false);
    send.click();
    await settled();
    expect(asked[0]?.body).toMatchObject({
      kind: "barrier.open",
      reason: "警察同意",
      reason_code: "device_test",
      args: { despite: PLATE },
      subject: { stream: car.stream, seq: 7 },
    });
  });

  it("says of a car that was not read that it was not", async () => {
    leave = mount(ReasonDialog);
    askWhy({ opening: "open", site: "demo", target: "gate-in", car: { ...car, plate: null, blocked: false } });
    await settled();
    expect(at(T.askCar).textContent).toContain("未识别");
  });
});
