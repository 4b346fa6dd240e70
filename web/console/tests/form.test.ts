/** The one dialog with fields: what it asks, where it says what is wrong, and when it closes. */

import { ElInput, ElMessageBox, ElSelect } from "element-plus";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { defineComponent, h, reactive, ref } from "vue";

import { ApiError } from "@/api/client";
import ChoiceChips from "@/kit/form/ChoiceChips.vue";
import FormDialog from "@/kit/form/FormDialog.vue";
import FormField from "@/kit/form/FormField.vue";
import { i18n } from "@/kit/i18n";
import { preferences } from "@/kit/preferences";
import { phone } from "@/kit/screen";

import { at, mount, settled, type } from "./mounting";

const open = ref(true);
const form = reactive({ name: "", sites: [] as string[], text: "" });
const send = vi.fn<() => Promise<unknown>>();
let leave = (): void => undefined;

const Form = defineComponent(() => () =>
  h(
    FormDialog,
    {
      modelValue: open.value,
      "onUpdate:modelValue": (opens: boolean) => void (open.value = opens),
      title: "A form",
      fields: form,
      send,
      sendId: "send",
      "data-testid": "dialog",
    },
    () => [
      h(FormField, { name: "name", label: "Name", hint: "As on the card", required: true }, () =>
        h(ElInput, { modelValue: form.name, "onUpdate:modelValue": (text: string) => (form.name = text), "data-testid": "name" }),
      ),
      h(FormField, { name: "sites", label: "Sites" }, () => h(ElSelect, { modelValue: form.sites, multiple: true })),
      h(FormField, { name: "text", label: "Text" }, () =>
        h(ElInput, { modelValue: form.text, "onUpdate:modelValue": (text: string) => (form.text = text), "data-testid": "text" }),
      ),
    ],
  ),
);

beforeEach(async () => {
  Object.assign(form, { name: "", sites: [], text: "" });
  open.value = true;
  send.mockReset().mockResolvedValue(undefined);
  leave = mount(Form);
  await vi.waitFor(() => at("name"));
  await settled();
});
afterEach(() => {
  leave();
  ElMessageBox.close();
  phone.value = false;
  preferences.language = "zh";
  vi.unstubAllGlobals();
});

const refusal = (fields: Record<string, string>): ApiError => new ApiError(422, "invalid", "请检查输入", fields);
const faults = (): string[] => [...document.querySelectorAll("[role=alert]")].map((said) => said.textContent ?? "");
const box = (): HTMLElement | null => document.querySelector(".el-message-box");

const focused = (): string | undefined => (document.activeElement as HTMLElement | null)?.dataset.testid;

async function press(): Promise<void> {
  at("send").click();
  await settled();
}

function choose(answer: string): void {
  const buttons = [...(box()?.querySelectorAll("button") ?? [])];
  buttons.find((button) => button.textContent?.trim() === answer)?.click();
}

async function escape(): Promise<void> {
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", code: "Escape", bubbles: true }));
  await settled();
}

describe("a form", () => {
  it("begins at its first field, which says what it is for", async () => {
    await vi.waitFor(() => expect(focused()).toBe("name"));
    const described = (at("name").getAttribute("aria-describedby") ?? "").split(" ");
    expect(described.map((id) => document.getElementById(id)?.textContent)).toEqual(["As on the card"]);
    expect(document.querySelector(`label[for="${at("name").id}"]`)?.textContent).toBe("Name");
    expect(at("name").getAttribute("aria-required")).toBe("true");
  });

  it("sends nothing while a required field is blank, and goes there", async () => {
    await type(at("name"), "   ");
    at("text").focus();
    await press();
    expect(send).not.toHaveBeenCalled();
    await vi.waitFor(() => expect(faults()).toEqual(["必填"]));
    expect(focused()).toBe("name");
    expect(at("name").getAttribute("aria-invalid")).toBe("true");
    await type(at("name"), "Wang");
    expect(at("name").getAttribute("aria-invalid")).toBe("false");
  });

  it("is sent by Enter, once, and closes when it is done", async () => {
    let done = (): void => undefined;
    send.mockReturnValue(new Promise<void>((resolve) => (done = resolve)));
    await type(at("name"), "Wang");
    const { form: sent } = at<HTMLInputElement>("name");
    sent?.requestSubmit();
    sent?.requestSubmit();
    await settled();
    expect(send).toHaveBeenCalledTimes(1);
    expect(at("send").className).toContain("is-loading");
    expect(open.value).toBe(true);
    done();
    await settled();
    expect(open.value).toBe(false);
  });

  it("has a button that is the form's own, so that Enter has something to press", () => {
    const button = at<HTMLButtonElement>("send");
    expect([button.type, button.getAttribute("form")]).toEqual(["submit", at<HTMLInputElement>("name").form?.id]);
  });

  it("stays open where it was let be", async () => {
    send.mockResolvedValue(false);
    await type(at("name"), "Wang");
    await press();
    expect(open.value).toBe(true);
    expect(faults()).toEqual([]);
  });
});

describe("what the server says", () => {
  it("stands at the field that it is about, also if it is about a part of it, until that is changed", async () => {
    send.mockRejectedValue(refusal({ "sites.0": "没有这个项目", text: "太长" }));
    await type(at("name"), "Wang");
    await press();
    await vi.waitFor(() => expect(faults()).toEqual(["没有这个项目", "太长"]));
    expect(document.querySelector(".is-error")?.textContent).toContain("没有这个项目");
    expect(document.activeElement?.closest(".is-error")?.textContent).toContain("Sites");
    form.sites = ["demo"];
    await settled();
    await vi.waitFor(() => expect(faults()).toEqual(["太长"]));
    expect(open.value).toBe(true);
  });

  it("stands at the foot where no field shows it", async () => {
    send.mockRejectedValue(refusal({ colour: "未知字段" }));
    await type(at("name"), "Wang");
    await press();
    await vi.waitFor(() => expect(faults()).toEqual(["请检查输入 (未知字段)"]));
    send.mockRejectedValue(refusal({ colour: "未知字段", text: "太长" }));
    await press();
    await vi.waitFor(() => expect(faults()).toEqual(["太长", "请检查输入 (未知字段)"]));
    send.mockRejectedValue(new ApiError(0, "unreachable", ""));
    await press();
    await vi.waitFor(() => expect(faults()).toEqual(["连不上服务器"]));
  });

  it("is forgotten when the form is opened again", async () => {
    send.mockRejectedValue(refusal({ text: "太长" }));
    await type(at("name"), "Wang");
    await press();
    open.value = false;
    await settled();
    open.value = true;
    await settled();
    expect(document.querySelector(".is-error")).toBeNull();
  });
});

describe("leaving", () => {
  it("takes no question while nothing was changed", async () => {
    await escape();
    await vi.waitFor(() => expect(open.value).toBe(false));
    expect(box()).toBeNull();
  });

  it("asks where something was, and stays if one thinks better of it", async () => {
    await type(at("name"), "Wang");
    await escape();
    await vi.waitFor(() => expect(box()?.textContent).toContain("填写的内容还没有保存"));
    expect(open.value).toBe(true);
    // Enter, or Escape once more, is no yes.
    choose("继续填写");
    await settled();
    expect(open.value).toBe(true);
    await vi.waitFor(() => expect(box()).toBeNull());
    await escape();
    await vi.waitFor(() => expect(box()).not.toBeNull());
    choose("放弃");
    await vi.waitFor(() => expect(open.value).toBe(false));
  });

  it("asks in the language of the page", async () => {
    preferences.language = "en";
    await settled();
    expect(at("send").textContent).toBe("Save");
    expect(i18n.global.t("form.leave")).toContain("not saved");
  });
});

it("is a sheet of its own on a phone", async () => {
  const dialog = (): HTMLElement | null => document.querySelector(".form-dialog");
  expect(dialog()?.className).not.toContain("is-fullscreen");
  phone.value = true;
  await settled();
  expect(dialog()?.className).toContain("is-fullscreen");
});

it("has chips that arrows go through, round and round", async () => {
  leave();
  const chosen = ref("a");
  const Chips = defineComponent(() => () =>
    h(ChoiceChips<string>, {
      of: ["a", "b", "c"],
      label: "Kind",
      testid: (choice: string) => `chip-${choice}`,
      modelValue: chosen.value,
      "onUpdate:modelValue": (choice: string) => void (chosen.value = choice),
    }),
  );
  leave = mount(Chips);
  const press = async (key: string): Promise<void> => {
    at(`chip-${chosen.value}`).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    await settled();
  };
  await press("ArrowLeft");
  expect(chosen.value).toBe("c");
  await press("ArrowDown");
  expect(chosen.value).toBe("a");
  expect(["a", "b", "c"].map((choice) => at(`chip-${choice}`).tabIndex)).toEqual([0, -1, -1]);
  expect(focused()).toBe("chip-a");
});
