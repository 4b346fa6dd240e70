/** The site as it is now: one state, filled by the live stream. */

import { computed, ref, shallowReactive, shallowRef } from "vue";

import { api, withQuery } from "@/api/client";
import { doubtTime } from "@/api/clock";
import type { EventItem, Page } from "@/api/types";
import { now } from "@/kit/clock";
import { remember } from "@/kit/remembered";
import { compareAlarms, unseen } from "@/live/alarms";
import { connect, type Connection } from "@/live/connect";
import { FEED_KINDS } from "@/live/entries";
import { emptyState, FEED_LIMIT, fold, mergeEvents, type LiveState } from "@/live/fold";
import { judged, type LinkStatus } from "@/live/link";
import { Rows } from "@/live/rows";
import { NAMED } from "@/live/tables";
import { session } from "@/shell/stores/session";

export const live: LiveState = shallowReactive(emptyState(() => shallowReactive(new Map<string, unknown>())));

const told = shallowRef<LinkStatus>({ state: "connecting", since: Date.now(), retryAt: null, heardAt: null });
export const link = computed(() => judged(told.value, now.value));

const rows = new Rows();
export const entries = computed(() => rows.take(live.events));
export const alarms = computed(() => [...live.alarms.values()].sort(compareAlarms));
export const unseenAlarms = computed(() => alarms.value.filter(unseen));

/** A snapshot brings the last events of all kinds: with fewer of the feed's than this, more are asked for. */
const ENOUGH_EVENTS = 80;

type EventsListener = (events: EventItem[]) => void;
const listeners = new Set<EventsListener>();

/** Hears the events that come while the page is open (not those of a snapshot). Returns how to stop. */
export function onEvents(listener: EventsListener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let connection: Connection | null = null;
let watched: string | null | undefined;
let onRefused: () => void = () => undefined;

export function whenRefused(action: () => void): void {
  onRefused = action;
}

/** Watches a site (null: all that the person may see). */
export function watchSite(site: string | null): void {
  if (connection && watched === site) return;
  stopWatching();
  watched = site;
  const url = withQuery("/api/live", { site });
  remember("stream", url); // the next page begins it before the console is there
  connection = connect(url, (message) => {
    if (message.type === "status") {
      if (told.value.state === "lost" && message.status.state === "live") doubtTime();
      told.value = message.status;
      if (message.status.state === "refused") onRefused();
      return;
    }
    fold(live, message);
    if (message.type === "snapshot" && live.events.length < ENOUGH_EVENTS) void loadOlder(site).catch(() => undefined);
    if (message.type === "events") for (const listener of listeners) listener(message.events);
  }, session.user?.id ?? "");
}

export function stopWatching(): void {
  connection?.close();
  connection = null;
  watched = undefined;
  told.value = { state: "connecting", since: Date.now(), retryAt: null, heardAt: null };
  live.asOf = null;
  live.events = [];
  moreOlder.value = true;
  for (const [name] of NAMED) live[name].clear();
}

export function retryLink(): void {
  connection?.retry();
}

/** Whether there may be older entries than those that are held. */
export const moreOlder = ref(true);

/** Older entries than the feed holds; what is older than its limit is a question for the history. */
export async function loadOlder(site: string | null): Promise<void> {
  const oldest = live.events.at(-1);
  const page = await api.get<Page<EventItem>>("/api/events", {
    site,
    kind: FEED_KINDS,
    before: oldest?.id,
    limit: 200,
  });
  live.events = mergeEvents(live.events, page.items);
  moreOlder.value = page.next !== null && live.events.length < FEED_LIMIT;
}
