/** What comes from outside is shown as text: nothing of the console makes markup of it. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import ValueChart from "@/kit/charts/ValueChart.vue";
import { mount } from "./mounting";

const SOURCE = join(import.meta.dirname, "..", "src");
const FILES = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((name) => /\.(vue|ts)$/.test(name));

/** Every way of Vue, of its components, of charts and of browsers to take a text for markup. */
const DOORS =
  /v-html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|dangerouslyUseHTMLString|raw-content|rawContent|srcdoc|javascript:/;

it("names the doors", () => {
  for (const door of ["<p v-html='x'>", "node.innerHTML = x", "{ dangerouslyUseHTMLString: true }", "raw-content"])
    expect(door).toMatch(DOORS);
});

it.each(FILES)("%s opens none of them", (name) => {
  expect(readFileSync(join(SOURCE, name), "utf8")).not.toMatch(DOORS);
});

const BAD = '<img src=a onerror=alert(1)>';

interface Option {
  tooltip: { formatter(found: unknown): string | HTMLElement };
}

let drawn: Option | null = null;

vi.mock("@/kit/charts/charts", async (original) => ({
  ...(await original<typeof import("@/kit/charts/charts")>()),
  init: () => ({ setOption: (option: Option) => void (drawn = option), resize: () => undefined, dispose: () => undefined }),
}));

let leave = (): void => undefined;

beforeEach(() => void (drawn = null));
afterEach(() => leave());

it.each([
  ["a unit", { unit: BAD }],
  ["a word for what is off", { flags: [BAD, BAD] }],
])("shows %s in a chart's tooltip as text", (_, props) => {
  leave = mount(ValueChart, { spots: [[1_700_000_000_000, 0]], label: "x", ...props });
  const shown = drawn!.tooltip.formatter([{ value: [1_700_000_000_000, 0] }]);
  // A string would be taken for markup by the chart.
  expect(shown).toBeInstanceOf(HTMLElement);
  document.body.append(shown);
  expect(document.querySelector("img")).toBeNull();
  expect((shown as HTMLElement).textContent).toContain(BAD);
});

it("shows nothing where there is nothing", () => {
  leave = mount(ValueChart, { spots: [], label: "x" });
  expect((drawn!.tooltip.formatter([]) as HTMLElement).textContent).toBe("");
});
