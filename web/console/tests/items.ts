/** Items as the servers send them, for tests: only what differs is said. */

import type { Alarm, EventItem, Lane, Snapshot, Ticket } from "@/api/types";

export function access(
  id: number,
  more: { kind?: string; source?: string; at?: string; data?: Record<string, unknown> } = {},
): EventItem {
  return {
    id,
    site: "demo",
    gateway: "demo-gw",
    stream: "f".repeat(32),
    seq: id,
    at: more.at ?? `2026-03-09T00:00:${String(id % 60).padStart(2, "0")}.000Z`,
    received_at: null,
    first: null,
    kind: more.kind ?? "access.granted",
    source: more.source ?? "lobby-a",
    data: {
      credential: { kind: "card", value: "04A1B2C3D4E5F6" },
      holder: "h-1",
      rule: "g-1",
      revision: 3,
      reason: { code: "granted", zh: "有通行权限", en: "Has a grant" },
      direction: "in",
      reader: "lobby-a-in",
      ...more.data,
    },
  };
}

export function other(id: number, kind: string, data: Record<string, unknown>, source = "gate-in"): EventItem {
  return { ...access(id, { kind, source }), data };
}

export function alarm(id: string, more: Partial<Alarm> = {}): Alarm {
  return {
    id,
    site: "demo",
    rule: "pump.tripped",
    source: "pump-2",
    asset: "pump-2",
    severity: "major",
    state: "active",
    message: { zh: "水泵停机", en: "Pump stopped" },
    response: null,
    values: {},
    raised_at: "2026-03-09T00:00:00.000Z",
    cleared_at: null,
    acknowledged_at: null,
    acknowledged_by: null,
    shelved_until: null,
    note: "",
    can: [],
    ...more,
  };
}

export function ticket(id: string, more: Partial<Ticket> = {}): Ticket {
  return {
    id,
    site: "demo",
    number: 1,
    alarm: null,
    asset: "pump-2",
    cause: "pump.tripped",
    severity: "major",
    title: { zh: "水泵停机", en: "Pump stopped" },
    response: null,
    place: "",
    state: "raised",
    assignee: null,
    raised_at: "2026-03-09T00:00:00.000Z",
    updated_at: "2026-03-09T00:00:00.000Z",
    closed_at: null,
    recovered_at: null,
    count: 1,
    history: [],
    first_history: null,
    steps: [],
    can: [],
    ...more,
  };
}

export const lane = (id: string, barrier: Lane["barrier"] = "down", site = "demo"): Lane => ({
  id,
  site,
  barrier,
  loops: { before: false, under: false },
  monitored: true,
  last_plate: null,
  last_plate_at: null,
  car: null,
  at: null,
  can: ["barrier.open", "barrier.close"],
});

export function snapshot(more: Partial<Snapshot> = {}): Snapshot {
  return {
    as_of: "2026-03-09T00:00:00.000Z",
    doors: [],
    lanes: [],
    alarms: [],
    tickets: [],
    gateways: [],
    events: [],
    ...more,
  };
}
