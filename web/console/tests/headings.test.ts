/** Headings of what stands in several places, and questions: what somebody hears who does not see them. */

import { defineComponent, h } from "vue";
import { afterEach, expect, it } from "vitest";

import { confirmed } from "@/kit/confirming";
import { headsUnder } from "@/kit/headings";
import RankedHeading from "@/kit/RankedHeading.vue";
import { mount, settled } from "./mounting";

let leave = (): void => undefined;

afterEach(() => leave());

const shown = (rank: number) =>
  defineComponent({
    setup() {
      if (rank > 0) headsUnder(rank);
      return () => [h(RankedHeading, null, () => "pump"), h(RankedHeading, { below: 2 }, () => "values")];
    },
  });

it.each([
  ["a page of its own", 0, ["H1", "H2"]],
  ["a page under the page's heading", 1, ["H2", "H3"]],
  ["what lies beside a list", 2, ["H3", "H4"]],
])("counts ranks in %s", (_, rank, ranks) => {
  leave = mount(shown(rank));
  expect([...document.querySelectorAll("h1, h2, h3, h4")].map((one) => one.tagName)).toEqual(ranks);
});

it("names a question by what would be done", async () => {
  const answer = confirmed("Remove it?", { yes: "Remove" });
  await settled();
  const box = document.querySelector("[role=dialog]")!;
  expect(box.getAttribute("aria-label")).toBe("Remove");
  expect(box.querySelector(".el-message-box__message")?.textContent).toBe("Remove it?");
  box.querySelector<HTMLElement>(".el-message-box__btns .el-button:not(.el-button--primary)")!.click();
  expect(await answer).toBe(false);
});
