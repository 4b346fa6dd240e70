/** What comes from outside is shown as text: nothing of the console makes markup of it. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";

import ValueChart from "@/kit/charts/ValueChart.vue";
import { mount, settled } from "./mounting";

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

let leave = (): void => undefined;

afterEach(() => leave());

const NOON = 1_700_000_000_000;

/** The mouse over the chart: what it tells there. */
async function told(): Promise<Element | null> {
  const chart = document.querySelector("[role=img]")!;
  chart.dispatchEvent(new PointerEvent("pointermove", { clientX: 300, pointerType: "mouse" }));
  await settled();
  return chart.querySelector("p");
}

it.each([
  ["a unit", { unit: BAD }],
  ["a word for what is off", { flags: [BAD, BAD] }],
])("shows %s in a chart as text", async (_, props) => {
  leave = mount(ValueChart, { spots: [[NOON, 0]], label: "x", ...props });
  expect((await told())!.textContent).toContain(BAD);
  expect(document.querySelector("img")).toBeNull();
});

it("shows nothing where there is nothing", async () => {
  leave = mount(ValueChart, { spots: [], label: "x" });
  expect(await told()).toBeNull();
});
