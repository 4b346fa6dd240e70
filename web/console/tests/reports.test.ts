/** What somebody wrote about his work stays until the hub has it. */

import { afterEach, expect, it, vi } from "vitest";
import { defineComponent, h, ref } from "vue";

import { ApiError } from "@/api/client";
import TicketDialogs from "@/areas/tickets/TicketDialogs.vue";
import { T } from "@/testids";

import { at, mount, settled, type } from "./mounting";

const dialog = ref<"finish" | "reopen" | null>(null);
const go = vi.fn<() => Promise<void>>();
let leave = (): void => undefined;

const Page = defineComponent(() => () =>
  h(TicketDialogs, {
    modelValue: dialog.value,
    "onUpdate:modelValue": (opens: "finish" | "reopen" | null | undefined) => void (dialog.value = opens ?? null),
    go,
  }),
);

afterEach(() => {
  leave();
  dialog.value = null;
});

const field = (id: string): HTMLTextAreaElement => {
  const found = at(id);
  return found instanceof HTMLTextAreaElement ? found : found.querySelector("textarea")!;
};

it("a report whose sending failed is still there when the dialog is opened again", async () => {
  leave = mount(Page);
  dialog.value = "finish";
  await vi.waitFor(() => at(T.finishFound));
  type(field(T.finishFound), "水泵不转");
  type(field(T.finishDone), "换了接触器");
  go.mockRejectedValueOnce(new ApiError(503, "unavailable", "服务器没有回应"));
  at(T.finishSend).click();
  await settled();

  dialog.value = null;
  await settled();
  dialog.value = "finish";
  await vi.waitFor(() => at(T.finishFound));
  expect(field(T.finishFound).value).toBe("水泵不转");

  go.mockResolvedValueOnce(undefined);
  at(T.finishSend).click();
  await settled();
  expect(dialog.value).toBeNull();
  dialog.value = "finish";
  await vi.waitFor(() => at(T.finishFound));
  expect(field(T.finishFound).value).toBe("");
});
