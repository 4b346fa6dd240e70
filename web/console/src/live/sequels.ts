/** What followed an entry: a passage, its car's leaving, an opening by hand, somebody who took note of it. Pure. */

import type { CarLeft, CommandResultData, EventItem, HitAcknowledged } from "@/api/types";

/** Who did something, and when. */
export interface Deed {
  by: string;
  at: string;
}

/** What an event tells of the entry at another event's place. */
export type Sequel =
  | { of: string; what: "passed" | "left" }
  | { of: string; what: "opened" | "noted"; deed: Deed };

/** The places by which other events may name this one: a fork moves events, and what named them before stays as it is. */
export function placesOf(event: EventItem): string[] {
  const places = [placeOf(event.site, event.stream, event.seq)];
  if (event.first) places.push(placeOf(event.site, event.first.stream, event.first.seq));
  return places;
}

/** A command may name any entry; what a site tells is of its own. */
export function placeOf(site: string, stream: string | null | undefined, seq: number): string {
  return `${site} ${stream ?? ""}/${seq}`;
}

/** What `event` tells of an entry, whichever that is; null: nothing. */
export function sequelOf(event: EventItem): Sequel | null {
  switch (event.kind) {
    case "passage.made":
    case "car.left": {
      const { after, after_stream, watched } = event.data as unknown as CarLeft;
      // Where nothing tells of passages, whoever was let in most likely went through.
      if (typeof after !== "number" || watched === false) return null;
      // Gateways of before said the sequence alone: then it is of the passage's own stream.
      return { of: placeOf(event.site, after_stream ?? event.stream, after), what: event.kind === "car.left" ? "left" : "passed" };
    }
    case "command.done": {
      const { kind, subject, by } = event.data as unknown as CommandResultData;
      if (!subject || (kind !== "barrier.open" && kind !== "door.unlock")) return null;
      return { of: placeOf(event.site, subject.stream, subject.seq), what: "opened", deed: { by: by.name, at: event.at } };
    }
    case "hit.acknowledged": {
      const { subject, by } = event.data as unknown as HitAcknowledged;
      if (!subject) return null;
      return { of: placeOf(event.site, subject.stream, subject.seq), what: "noted", deed: { by: by.name, at: event.at } };
    }
    default:
      return null;
  }
}
