/** What was typed outlives the page that it was typed on, until it is sent, thrown away, or its person signs out. */

import { ElInput } from "element-plus";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { defineComponent, h, reactive, ref } from "vue";

import { ApiError } from "@/api/client";
import { drafts, draftsOf, forgetDrafts, openDrafts } from "@/kit/drafts";
import FormDialog from "@/kit/form/FormDialog.vue";
import FormField from "@/kit/form/FormField.vue";
import { T } from "@/testids";

import { at, mount, settled, type } from "./mounting";

const DAY_MS = 86_400_000;
let person = 0;
let leave = (): void => undefined;
const send = vi.fn<() => Promise<unknown>>();

/** A page with one form, as a reload finds it: `given` is what the server says now. */
async function page(given: { name?: string; until?: Date | null; pin?: string } = {}) {
  leave();
  const form = reactive({ name: given.name ?? "", until: given.until ?? null, pin: given.pin ?? "" });
  const open = ref(true);
  const field = (name: "name" | "pin") =>
    h(FormField, { name, label: name }, () =>
      h(ElInput, { modelValue: form[name], "onUpdate:modelValue": (text: string) => (form[name] = text), "data-testid": name }),
    );
  const Page = defineComponent(() => () =>
    h(
      FormDialog,
      {
        modelValue: open.value,
        "onUpdate:modelValue": (opens: boolean) => void (open.value = opens),
        title: "A form",
        fields: form,
        send,
        sendId: "send",
        draft: "person:h-1",
        secret: ["pin"],
      },
      () => [field("name"), field("pin")],
    ),
  );
  leave = mount(Page);
  await vi.waitFor(() => at("name"));
  await settled();
  return { form, open };
}

/** As another page load finds it: only what was written down. */
function reload(as = `p-${person}`): void {
  draftsOf("somebody else");
  draftsOf(as);
}

beforeEach(() => {
  person += 1;
  send.mockReset().mockResolvedValue(undefined);
  draftsOf(`p-${person}`);
});
afterEach(() => {
  leave();
  leave = () => undefined;
  vi.useRealTimers();
});

it("gives back after a reload what was typed, and says so", async () => {
  await page();
  await type(at("name"), "周师傅");
  leave();
  reload();
  expect(drafts.get("person:h-1")).toMatchObject({ title: "A form" });
  const { form } = await page();
  expect(form.name).toBe("周师傅");
  at(T.draftClear).click();
  await settled();
  expect([form.name, drafts.size]).toEqual(["", 0]);
});

it("never keeps what is secret", async () => {
  await page();
  await type(at("pin"), "2468");
  await type(at("name"), "x");
  expect(JSON.stringify({ ...localStorage })).not.toContain("2468");
});

it("forgets what was sent, and what is as it was given", async () => {
  await page({ name: "Wang" });
  await type(at("name"), "Wang Wei");
  expect(drafts.size).toBe(1);
  await type(at("name"), "Wang");
  expect(drafts.size).toBe(0);
  await type(at("name"), "Wang Wei");
  at("send").click();
  await settled();
  expect([drafts.size, openDrafts.size]).toEqual([0, 0]);
});

it("keeps what the server did not take", async () => {
  send.mockRejectedValue(new ApiError(0, "unreachable", ""));
  await page();
  await type(at("name"), "x");
  at("send").click();
  await settled();
  expect(drafts.size).toBe(1);
});

it("forgets what was sent also where sending led to another page", async () => {
  send.mockImplementation(() => {
    leave();
    return Promise.resolve();
  });
  await page();
  await type(at("name"), "x");
  expect(drafts.size).toBe(1);
  at("send").click();
  await settled();
  expect([drafts.size, openDrafts.size]).toEqual([0, 0]);
});

it("asks before Cancel throws away what was typed", async () => {
  const { open } = await page();
  await type(at("name"), "x");
  const cancel = (): void => document.querySelector<HTMLElement>(".el-dialog__footer button")!.click();
  cancel();
  const discard = ".el-message-box__btns .el-button:not(.el-button--primary)";
  const button = await vi.waitFor(() => {
    const found = document.querySelector<HTMLElement>(discard);
    if (!found) throw new Error("nobody asks");
    return found;
  });
  await settled();
  expect([open.value, drafts.size]).toEqual([true, 1]);
  button.click();
  await vi.waitFor(() => expect([open.value, drafts.size]).toEqual([false, 0]));
});

it("does not change back what somebody else changed meanwhile", async () => {
  await page({ name: "Wang" });
  await type(at("name"), "Wang Wei");
  reload();
  const { form } = await page({ name: "Wang Min" });
  expect(form.name).toBe("Wang Min");
});

it("gives dates back as dates", async () => {
  const { form } = await page();
  form.until = new Date("2026-12-01T00:00:00Z");
  await settled();
  reload();
  const again = await page();
  expect(again.form.until).toEqual(new Date("2026-12-01T00:00:00Z"));
});

it("shows nobody the texts of another, and gives them back to whoever wrote them", async () => {
  await page();
  await type(at("name"), "private");
  reload("p-other");
  expect(drafts.size).toBe(0);
  reload();
  expect(drafts.size).toBe(1);
});

it("leaves nothing behind when somebody signs out, or after a week", async () => {
  await page();
  await type(at("name"), "x");
  forgetDrafts();
  reload();
  expect(drafts.size).toBe(0);
  await page();
  await type(at("name"), "y");
  vi.useFakeTimers({ now: Date.now() + 8 * DAY_MS, toFake: ["Date"] });
  reload();
  expect(drafts.size).toBe(0);
});
