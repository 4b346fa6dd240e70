/** Every dialog with a text of one's own keeps it, and none keeps what opens something. */

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import AccountDialog from "@/areas/accounts/AccountDialog.vue";
import LockDialog from "@/areas/accounts/LockDialog.vue";
import AlarmsTogether from "@/areas/alarms/AlarmsTogether.vue";
import CredentialDialog from "@/areas/people/CredentialDialog.vue";
import TicketsTogether from "@/areas/tickets/TicketsTogether.vue";
import { drafts, draftsOf, namedBy } from "@/kit/drafts";
import { together } from "@/shell/stores/handling";
import { T } from "@/testids";

import { alarm, ticket } from "./items";
import { at, mount, server, settled, type } from "./mounting";

let leave = (): void => undefined;
let person = 0;

beforeEach(() => {
  localStorage.clear();
  draftsOf(`d-${(person += 1)}`);
  server(() => ({ status: 200, body: { items: [], next: null } }));
});
afterEach(() => {
  leave();
  together.value = null;
  vi.unstubAllGlobals();
});

const kept = (name: string): Record<string, [string, string]> => drafts.get(name)?.fields ?? {};
const field = (kind: string): HTMLElement => {
  const found = document.querySelector<HTMLElement>(`.el-dialog ${kind}`);
  if (!found) throw new Error(`no ${kind}`);
  return found;
};

it("a bulk finish keeps what was found and done, by reload", async () => {
  leave = mount(TicketsTogether, { chosen: [ticket("a", { can: ["finish"] }), ticket("b", { can: ["finish"] })] });
  await settled();
  at(T.ticketsStep("finish")).click();
  await vi.waitFor(() => field("textarea"));
  await settled();
  await type(field("textarea"), "热继电器动作");
  expect(kept(`tickets-together:finish:${namedBy(["b", "a"])}`).found?.[1]).toContain("热继电器动作");
  leave();
  draftsOf("somebody else");
  draftsOf(`d-${person}`);
  leave = mount(TicketsTogether, { chosen: [ticket("a", { can: ["finish"] }), ticket("c", { can: ["finish"] })] });
  await settled();
  at(T.ticketsStep("finish")).click();
  await vi.waitFor(() => field("textarea"));
  await settled();
  expect((field("textarea") as HTMLTextAreaElement).value).toBe(""); // of other tickets it was not said
  leave();
  leave = mount(TicketsTogether, { chosen: [ticket("b", { can: ["finish"] }), ticket("a", { can: ["finish"] })] });
  await settled();
  at(T.ticketsStep("finish")).click();
  await vi.waitFor(() => expect((field("textarea") as HTMLTextAreaElement).value).toBe("热继电器动作"));
});

it("a word about several alarms is kept", async () => {
  leave = mount(AlarmsTogether);
  together.value = { act: "ack", alarms: [alarm("a"), alarm("b")], title: "2" };
  await vi.waitFor(() => at(T.ackNote));
  await settled();
  const note = at(T.ackNote);
  await type(note.matches("input") ? note : (note.querySelector("input") ?? note), "在看");
  expect(kept(`alarms-together:ack:${namedBy(["a", "b"])}`).note?.[1]).toContain("在看");
});

it("an account's name is kept, and never its password", async () => {
  leave = mount(AccountDialog, { account: null });
  await vi.waitFor(() => field("input[type=password]"));
  await settled();
  await type(field("input[autocomplete=off]"), "wang");
  await type(field("input[type=password]"), "correct horse battery");
  expect(kept("account:new").username?.[1]).toContain("wang");
  expect(JSON.stringify([...Object.values(localStorage)])).not.toContain("horse");
});

it("a card's number is kept, and never a PIN", async () => {
  leave = mount(CredentialDialog, { site: "demo", holder: "h-1" });
  await vi.waitFor(() => at(T.credentialValue));
  await settled();
  const value = (): HTMLElement => {
    const found = at(T.credentialValue);
    return found.matches("input") ? found : (found.querySelector("input") ?? found);
  };
  await type(value(), "04A1B2C3");
  expect(kept("credential:demo/h-1").value?.[1]).toContain("04A1B2C3");
  const pin = [...document.querySelectorAll<HTMLElement>(".el-dialog [role=radio], .el-dialog input[type=radio]")].find((each) =>
    /PIN|密码/.test(each.closest("label, button, [role=radio]")?.textContent ?? ""),
  );
  pin?.click();
  await settled();
  await type(value(), "739146");
  expect(JSON.stringify([...Object.values(localStorage)])).not.toContain("739146");
});

it("why an account is locked is kept", async () => {
  leave = mount(LockDialog, { account: { id: "a-1", username: "wang", name: "王", role: "guard", expires_at: null, lock: null, may_lock: true, may_unlock: false } });
  await vi.waitFor(() => field("input"));
  await settled();
  await type(field("input"), "离职");
  expect(kept("lock:a-1").reason?.[1]).toContain("离职");
});
