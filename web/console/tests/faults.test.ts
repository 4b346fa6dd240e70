import { expect, it } from "vitest";

import { ApiError } from "@/api/client";
import { faultText } from "@/kit/faults";

it("says an error once, and what is wrong with a field besides", () => {
  const taken = "已有一个有效凭证使用此号码";
  expect(faultText(new ApiError(409, "taken", taken, { value: taken }))).toBe(taken);
  expect(faultText(new ApiError(422, "invalid", "请检查", { name: "太长", unit: "太长" }))).toBe("请检查 (太长)");
});

it("says in words that something is not there", () => {
  expect(faultText(new ApiError(404, "not_found", "不存在"))).toBe("对象不存在或已被删除");
});
