/** What happened to one thing, one line a moment. Pure. */

import type { IconName } from "@/kit/AppIcon.vue";
import type { Instant } from "@/api/types";

export interface Happening {
  /** Unlike any other of the same timeline. */
  key: string;
  at: Instant;
  icon: IconName;
  /** What happened. */
  title: string;
  /** Who did it. */
  who?: string;
  /** What was said with it: what it is, and the words. */
  lines?: readonly { label: string; text: string }[];
  /** Where more of it stands. */
  link?: string;
  tone?: "ok" | "warn" | "no";
  /** Which kind, for tests. */
  kind?: string;
}

/** The earliest first; what happened in one moment stays in the order given. */
export function inOrder(happenings: readonly Happening[]): Happening[] {
  return [...happenings].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}
