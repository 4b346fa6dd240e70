/** What was asked of one person, when another signs in on the same page. */

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { api, ApiError, whenProofNeeded } from "@/api/client";
import { watchHandover } from "@/shell/handover";
import { question } from "@/shell/stores/asking";
import { comparison, saving } from "@/shell/stores/editing";
import { acknowledging, shelving, together } from "@/shell/stores/handling";
import { proveAgain, proving } from "@/shell/stores/proving";
import { session } from "@/shell/stores/session";
import { alarm } from "./items";
import { server } from "./mounting";

let stop = (): void => undefined;
const isHere = (id: string | null): void => void (session.user = id === null ? null : ({ id } as typeof session.user));

beforeEach(() => {
  whenProofNeeded(proveAgain);
  isHere("u-1");
  stop = watchHandover();
});
afterEach(() => {
  stop();
  isHere(null);
  for (const each of [question, acknowledging, shelving, together]) each.value = null;
  vi.unstubAllGlobals();
});

it("refuses at once what waited for a password, and sends it under nobody else's cookie", async () => {
  const asked = server(() => ({ status: 403, body: { error: { code: "prove", message: "", fields: {} } } }));
  const change = api.put("/api/accounts/a", { role: "admin" }, 7).catch((error: unknown) => error);
  await vi.waitFor(() => expect(proving.value).not.toBeNull());
  const prove = proving.value;
  isHere(null);
  expect(await change).toMatchObject({ code: "prove" });
  isHere("u-2");
  prove?.(true); // the answer to the password came late
  await Promise.resolve();
  expect([asked.length, proving.value]).toEqual([1, null]);
});

it("takes a comparison for let be", async () => {
  const send = vi.fn(() => Promise.reject(new ApiError(412, "changed", "", {}, null, { version: 2, name: "theirs" })));
  const saved = saving({ version: 1, name: "old" } as { version: number }, { name: "mine" }, send);
  await vi.waitFor(() => expect(comparison.value).not.toBeNull());
  isHere(null);
  expect(await saved).toBeNull();
  expect([comparison.value, send.mock.calls.length]).toEqual([null, 1]);
});

it("gives the same person their question back, and shows it to no other", () => {
  const ask = (): void => {
    question.value = { opening: "open", site: "demo", target: "gate-in" };
    acknowledging.value = shelving.value = alarm("a-1");
    together.value = { act: "ack", alarms: [alarm("a-1")], title: "" };
  };
  const open = (): number => [question, acknowledging, shelving, together].filter((each) => each.value !== null).length;
  ask();
  isHere(null);
  isHere("u-1");
  expect(open()).toBe(4);
  isHere(null);
  isHere("u-2");
  expect(open()).toBe(0);
});
