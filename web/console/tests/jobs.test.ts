import { afterEach, expect, it, vi } from "vitest";

import Jobs from "@/areas/jobs/Jobs.vue";
import { T } from "@/testids";
import { at, mount, server, settled } from "./mounting";

let leave = (): void => undefined;
const job = (id: number, name: string, more: Record<string, unknown> = {}) => ({
  id, name, text: { zh: `任务 ${id}`, en: `Job ${id}` }, key: "", state: "waiting", last_at: "2026-09-21T08:00:00.000Z",
  took_s: 0.02, next_at: null, why: "", failures: 0, error: "", ...more,
});  // prettier-ignore
const FAILED = job(1, "retention.prune", { state: "failed", failures: 12, error: "ValueError: no", took_s: 125 });

afterEach(() => {
  leave();
  vi.unstubAllGlobals();
});

it("says which job failed and why, and has it done again", async () => {
  const asked = server(({ method }) =>
    method === "POST"
      ? { status: 202, body: { ...FAILED, state: "due" } }
      : { status: 200, body: { items: [FAILED, job(2, "readings.hours")], next: null } },
  );
  leave = mount(Jobs);
  await settled();
  const row = at(T.job("retention.prune")).textContent;
  for (const words of ["任务 1", "失败 12 次，已停止", "ValueError: no", "2 分钟", "重试"]) expect(row).toContain(words);
  expect(at(T.job("readings.hours")).textContent).toContain("正常");
  expect(at(T.job("readings.hours")).textContent).toContain("0.02 秒");
  at(T.jobRun("retention.prune")).click();
  await settled();
  expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "GET /api/jobs", "POST /api/jobs/1/run", "GET /api/jobs",
  ]);  // prettier-ignore
});
