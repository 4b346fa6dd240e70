/** What is written can be read: every pair of colours that stands in the styles has a contrast of 4.5 or more, light and dark. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const SOURCE = join(import.meta.dirname, "..", "src");
const FILES = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((name) => /\.(vue|css)$/.test(name));
const TOKENS = readFileSync(join(SOURCE, "styles", "tokens.css"), "utf8");
const LEAST = 4.5;

/** What a page is made of, and what is written on any of it. */
const GROUNDS = ["bg", "surface", "surface-2", "surface-3"];
const INKS = ["ink", "ink-2", "ink-3", "accent"];
/** What says how it stands: on a card, on a picked row, and on its own soft ground. */
const STATES = ["ok", "no", "visitor", "warn", "minor", "calm"];

type Colours = ReadonlyMap<string, string>;

function coloursOf(selector: string): Colours {
  const block = TOKENS.slice(TOKENS.indexOf(`${selector} {`)).split("}")[0] ?? "";
  return new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = "", hex = ""]) => [name, hex]));
}

/** Relative luminance of `#rrggbb` (WCAG 2.2). */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((from) => {
    const part = parseInt(hex.slice(from, from + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** Every pair that one rule of a style sets together, `color` and `background`; not of what has colours of its own, as plates have. */
function pairsIn(style: string): [string, string][] {
  return [...style.matchAll(/\{([^{}]*)\}/g)].flatMap(([, rule = ""]) => {
    const ink = /(?:^|[\s;])color: (var\(--[\w-]+\)|#fff\b)/.exec(rule)?.[1];
    const ground = /(?:^|[\s;])background: (var\(--[\w-]+\));/.exec(rule)?.[1];
    return ink && ground && TOKENS.includes(`${ground.slice(4, -1)}: `) ? [[ink, ground]] : [];
  });
}

const WRITTEN = FILES.flatMap((name) => pairsIn(readFileSync(join(SOURCE, name), "utf8"))).map(
  (pair) => pair.map((one) => one.replace(/var\(--|\)/g, "")) as [string, string],
);
const PAIRS = new Map(
  [
    ...WRITTEN,
    ...GROUNDS.flatMap((ground) => INKS.map((ink): [string, string] => [ink, ground])),
    ...STATES.flatMap((state) => ["surface", "surface-2", `${state}-soft`].map((on): [string, string] => [state, on])),
  ].map((pair) => [pair.join(" on "), pair]),
);

describe.each([
  ["light", coloursOf(":root")],
  ["dark", new Map([...coloursOf(":root"), ...coloursOf(":root.dark")])],
])("%s", (_, colours) => {
  const of = (name: string): string => (name === "#fff" ? "#ffffff" : (colours.get(name) ?? ""));

  it.each([...PAIRS])("%s", (_, [ink, ground]) => {
    expect(of(ink), ink).toMatch(/^#/);
    expect(of(ground), ground).toMatch(/^#/);
    expect(contrast(of(ink), of(ground))).toBeGreaterThanOrEqual(LEAST);
  });
});

it("knows what black on white is", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21);
  expect(WRITTEN.length).toBeGreaterThan(20);
});
