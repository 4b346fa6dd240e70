/** Shows what `notice` says. */

import { ElMessage } from "element-plus";

import type { Tone } from "@/kit/notice";

export function show(type: Tone, message: string): void {
  ElMessage({ type, message, grouping: true });
}
