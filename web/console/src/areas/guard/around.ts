/** What belongs to one entry: the read before the decision, and what came of it: opened by hand, passed, left. Pure. */

import type { EventItem } from "@/api/types";
import type { Entry } from "@/live/entries";

export type Part = "read" | "decision" | "passage" | "manual" | "left" | "noted";

/** A read and its decision are this close to each other. */
const READ_WINDOW_MS = 15_000;
/** Somebody who opens by hand does so while whoever was not let in still stands there. */
const HAND_WINDOW_MS = 120_000;
const OPENINGS = new Set(["barrier.open", "door.unlock"]);

function named(entry: Entry, stream: unknown, seq: unknown): boolean {
  const { event } = entry;
  if (event.stream === stream && event.seq === seq) return true;
  return event.first !== null && event.first?.stream === stream && event.first.seq === seq;
}

function ofSubject(entry: Entry, event: EventItem): boolean {
  const subject = event.data.subject as { stream?: unknown; seq?: unknown } | null | undefined;
  return subject ? named(entry, subject.stream, subject.seq) : false;
}

function partOf(entry: Entry, event: EventItem): Part | null {
  const own = entry.event;
  if (event.id === own.id) return entry.manual ? "manual" : "decision";
  if (event.site !== own.site) return null;
  const later = Date.parse(event.at) - Date.parse(own.at);
  switch (event.kind) {
    case "plate.seen":
      return event.data.plate === entry.credential?.value && Math.abs(later) <= READ_WINDOW_MS ? "read" : null;
    case "passage.made":
      return named(entry, event.data.after_stream ?? event.stream, event.data.after) ? "passage" : null;
    case "car.left":
      // Where nothing tells of passages, whoever was let in most likely went through.
      if (event.data.watched === false) return null;
      return named(entry, event.data.after_stream ?? event.stream, event.data.after) ? "left" : null;
    case "hit.acknowledged":
      return ofSubject(entry, event) ? "noted" : null;
    case "command.done":
      if (!OPENINGS.has(String(event.data.kind))) return null;
      if (event.data.subject) return ofSubject(entry, event) ? "manual" : null;
      // Gateways of before did not say for whom it was.
      if (event.data.target !== entry.source) return null;
      return entry.event.kind === "access.denied" && later >= 0 && later <= HAND_WINDOW_MS ? "manual" : null;
    default:
      return null;
  }
}

/** The parts of an entry, the earliest first. */
export function around(entry: Entry, events: readonly EventItem[]): { part: Part; event: EventItem }[] {
  const found = new Map<number, { part: Part; event: EventItem }>();
  for (const event of [entry.event, ...events]) {
    const part = partOf(entry, event);
    if (part !== null) found.set(event.id, { part, event });
  }
  return [...found.values()].sort((a, b) => Date.parse(a.event.at) - Date.parse(b.event.at) || a.event.id - b.event.id);
}
