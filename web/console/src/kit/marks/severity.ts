/** How bad something is, and what stands above what because of it. Pure. */

import type { Severity } from "@/api/types";

const SEVERITY_ORDER: Record<Severity, number> = { critical: 0, major: 1, minor: 2, warning: 3 };

/** Negative when `a` is worse than `b`. */
export function compareSeverity(a: Severity, b: Severity): number {
  return (SEVERITY_ORDER[a] ?? 4) - (SEVERITY_ORDER[b] ?? 4);
}
