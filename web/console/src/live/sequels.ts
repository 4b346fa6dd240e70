/** What followed an entry: a passage, its car's leaving, an opening by hand, somebody who took note of it. Pure. */

import type { CarLeft, CommandResultData, EventItem, HitAcknowledged } from "@/api/types";

/** Who did something, and when. */
export interface Deed {
  by: string;
  at: string;
}

/** By the place of the entry's event. */
export interface Sequels {
  passed: Set<string>;
  left: Set<string>;
  opened: Map<string, Deed>;
  noted: Map<string, Deed>;
}

/** The places by which other events may name this one: a fork moves events, and what named them before stays as it is. */
export function placesOf(event: EventItem): string[] {
  const places = [placeOf(event.stream, event.seq)];
  if (event.first) places.push(placeOf(event.first.stream, event.first.seq));
  return places;
}

export function placeOf(stream: string | null | undefined, seq: number): string {
  return `${stream ?? ""}/${seq}`;
}

/** What the events of a feed tell of entries, whichever those are. */
export function sequelsOf(events: readonly EventItem[]): Sequels {
  const found: Sequels = { passed: new Set(), left: new Set(), opened: new Map(), noted: new Map() };
  for (const event of events) {
    switch (event.kind) {
      case "passage.made":
      case "car.left": {
        const { after, after_stream } = event.data as unknown as CarLeft;
        if (typeof after !== "number") break;
        // Gateways of before said the sequence alone: then it is of the passage's own stream.
        const place = placeOf(after_stream ?? event.stream, after);
        (event.kind === "passage.made" ? found.passed : found.left).add(place);
        break;
      }
      case "command.done": {
        const { kind, subject, by } = event.data as unknown as CommandResultData;
        if (subject && (kind === "barrier.open" || kind === "door.unlock"))
          found.opened.set(placeOf(subject.stream, subject.seq), { by: by.name, at: event.at });
        break;
      }
      case "hit.acknowledged": {
        const { subject, by } = event.data as unknown as HitAcknowledged;
        // Events come newest first: who noted it first stays.
        if (subject) found.noted.set(placeOf(subject.stream, subject.seq), { by: by.name, at: event.at });
        break;
      }
    }
  }
  return found;
}

/** What was told of any of these places. */
export function told<T>(of: ReadonlyMap<string, T>, places: readonly string[]): T | null {
  for (const place of places) {
    const found = of.get(place);
    if (found !== undefined) return found;
  }
  return null;
}
