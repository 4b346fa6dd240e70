import { afterEach, expect, it } from "vitest";

import { list, speak, t, te } from "@/kit/texts";

afterEach(() => speak("zh"));

it("says a text in the language that is spoken", () => {
  expect(t("action.cancel")).toBe("取消");
  speak("en");
  expect(t("action.cancel")).toBe("Cancel");
});

it("fills in what a text leaves open, once or often, also nothing and none", () => {
  expect(t("draft.waiting", { count: 0 })).toContain("0");
  expect(t("draft.waiting")).not.toContain("{");
});

it("gives a name back that is none, or of several texts", () => {
  expect(t("nowhere.at.all")).toBe("nowhere.at.all");
  expect(t("action")).toBe("action");
  expect(te("nowhere.at.all")).toBe(false);
  expect(te("action")).toBe(false);
  expect(te("constructor.name")).toBe(false);
  expect(te("action.cancel")).toBe(true);
  expect(list("action")).toEqual([]);
});
