import { afterEach, describe, expect, it } from "vitest";

import { numberAxis, timeAxis } from "@/kit/charts/axes";
import { barWidth, ground, line, nearest, stretches, thinned, type Spot } from "@/kit/charts/strokes";
import ValueChart from "@/kit/charts/ValueChart.vue";
import { mount, settled } from "./mounting";

const at = (text: string) => Date.parse(text);
const texts = (axis: { ticks: { text: string }[] }) => axis.ticks.map(({ text }) => text);

describe("the axis of times", () => {
  it("tells the clock of the site's zone at its round hours, and the day at its midnight", () => {
    const axis = timeAxis(at("2026-03-08T08:20:00Z"), at("2026-03-09T08:20:00Z"), 6, "Asia/Shanghai");
    expect(texts(axis)).toEqual(["18:00", "03-09", "06:00", "12:00"]);
    expect(new Date(axis.ticks[1]!.at).toISOString()).toBe("2026-03-08T16:00:00.000Z");
    // A zone of half an hour, too.
    expect(texts(timeAxis(at("2026-03-08T08:20:00Z"), at("2026-03-08T10:20:00Z"), 6, "Asia/Kolkata"))).toEqual([
      "14:00",
      "14:30",
      "15:00",
      "15:30",
    ]);
  });

  it("shows days on days, also where the clocks are put forward", () => {
    const axis = timeAxis(at("2026-03-07T12:00:00Z"), at("2026-03-10T12:00:00Z"), 4, "America/New_York");
    expect(texts(axis)).toEqual(["03-08", "03-09", "03-10"]);
    expect(axis.ticks.map((tick) => new Date(tick.at).toISOString().slice(11, 16))).toEqual(["05:00", "04:00", "04:00"]);
    const hours = timeAxis(at("2026-03-08T05:00:00Z"), at("2026-03-08T09:00:00Z"), 6, "America/New_York");
    expect(texts(hours)).toEqual(["00:00", "01:00", "03:00", "04:00", "05:00"]);
  });

  it("tells seconds where they are apart", () => {
    expect(texts(timeAxis(at("2026-03-08T08:20:07Z"), at("2026-03-08T08:20:40Z"), 4, "UTC"))).toEqual([
      "08:20:10",
      "08:20:20",
      "08:20:30",
      "08:20:40",
    ]);
  });
});

it.each([
  [[7.21, 7.38], 4, false, ["7.20", "7.25", "7.30", "7.35", "7.40"]],
  [[0, 830], 4, true, ["0", "500", "1000"]],
  [[31, 33], 3, true, ["0", "20", "40"]],
  [[-3, 12], 3, false, ["-5", "0", "5", "10", "15"]],
  [[], 4, false, ["0.0", "0.5", "1.0"]],
  [[0, 0], 2, true, ["0.0", "0.5", "1.0"]],
])("puts %j on round numbers", (values, most, zero, wanted) => {
  const axis = numberAxis(values, most, zero);
  expect(texts(axis)).toEqual(wanted);
  for (const value of values) expect(axis.low <= value && value <= axis.high).toBe(true);
});

it("gives what stands still room above and beneath", () => {
  const axis = numberAxis([50, 50], 4);
  expect(axis.low < 50 && axis.high > 50).toBe(true);
});

describe("lines", () => {
  const place = (at: number, value: number): [number, number] => [at, value];

  it("are broken where nothing is known", () => {
    const spots: Spot[] = [
      [0, 1],
      [1, 2],
      [2, null],
      [3, 4],
    ];
    const found = stretches(spots, place);
    expect(found).toEqual([
      [
        [0, 1],
        [1, 2],
      ],
      [[3, 4]],
    ]);
    expect(line(found[0]!, false)).toBe("M0 1L1 2");
    expect(ground(found[0]!, 9)).toBe("M0 1L1 2L1 9L0 9Z");
    expect(stretches([[0, null]], place)).toEqual([]);
  });

  it("hold a value until the next one, of what is on or off", () => {
    expect(line([[0, 0], [5, 1]], true)).toBe("M0 0H5V1"); // prettier-ignore
  });

  it("keep each peak and each break where there is more than can be seen", () => {
    const spots: Spot[] = Array.from({ length: 10_000 }, (_, number) => [number, number === 5003 ? 99 : number % 7]);
    spots[7000] = [7000, null];
    const kept = thinned(spots, 200);
    expect(kept.length).toBeLessThan(1000);
    expect(kept).toContainEqual([5003, 99]);
    expect(kept).toContainEqual([7000, null]);
    expect([kept[0], kept.at(-1)]).toEqual([spots[0], spots.at(-1)]);
    expect(kept.every((spot, number) => number === 0 || kept[number - 1]![0] < spot[0])).toBe(true);
    expect(thinned(spots.slice(0, 100), 200)).toHaveLength(100);
  });
});

it("knows which spot is next to a finger, and how wide bars may be", () => {
  expect([nearest([0, 10, 20], 14), nearest([0, 10, 20], -5), nearest([], 3)]).toEqual([1, 0, -1]);
  expect([barWidth([0, 10, 20]), barWidth([0, 400]), barWidth([7])]).toEqual([7, 26, 26]);
});

describe("a chart", () => {
  let leave = (): void => undefined;
  afterEach(() => leave());
  const shown = (selector: string) => [...document.querySelectorAll(selector)].map((one) => one.textContent?.trim());
  const hover = async (x: number, pointerType = "mouse", kind = "pointermove") => {
    document.querySelector("[role=img]")!.dispatchEvent(new PointerEvent(kind, { clientX: x, pointerType }));
    await settled();
  };

  it("marks the moment of a fault and words what is on or off", async () => {
    const from = at("2026-03-08T08:00:00Z");
    const spots = [[from, 0], [from + 300_000, 1], [from + 600_000, 1]]; // prettier-ignore
    leave = mount(ValueChart, {
      spots, label: "运行", shape: "step", flags: ["停", "转"], zone: "Asia/Shanghai", mark: from + 300_000, markText: "发生",
    }); // prettier-ignore
    expect(shown(".upright")).toEqual(["停", "转"]);
    expect(shown(".mark-line text")).toEqual(["发生"]);
    expect(document.querySelector("path.line")!.getAttribute("d")).toMatch(/^M0 \S+H\S+V0H\S+V0$/);
    await hover(590);
    expect(shown(".tip")[0]).toMatch(/16:10.* 转$/);
    await hover(590, "mouse", "pointerleave");
    expect(shown(".tip")).toEqual([]);
    // A lifted finger leaves it to be read.
    await hover(20, "touch", "pointerdown");
    await hover(20, "touch", "pointerleave");
    expect(shown(".tip")[0]).toMatch(/16:00.* 停$/);
  });

  it("shows all of the time that was asked for, and each day of a meter in its own place", () => {
    const from = at("2026-03-08T00:00:00Z");
    leave = mount(ValueChart, { spots: [[from, 1]], label: "x", from, to: from + 86_400_000, zone: "UTC" });
    expect(shown(".along")).toEqual(["03-08", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "03-09"]);
    leave();
    const days = ["2026-03-07", "2026-03-08", "2026-03-09"];
    leave = mount(ValueChart, { spots: [[from + 43_200_000, 5]], label: "x", shape: "bar", days });
    expect(shown(".along")).toEqual(["03-07", "03-08", "03-09"]);
    expect(document.querySelectorAll("rect.bar")).toHaveLength(1);
  });
});
