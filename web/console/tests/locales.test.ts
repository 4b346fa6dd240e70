import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse as parseTemplate, NodeTypes, type ElementNode, type TemplateChildNode } from "@vue/compiler-dom";
import { parse } from "vue/compiler-sfc";

import en from "@/locales/en.json";
import zh from "@/locales/zh.json";

const SOURCE = join(import.meta.dirname, "..", "src");
const FILES = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((name) => /\.(vue|ts)$/.test(name));
const COMPONENTS = FILES.filter((name) => name.endsWith(".vue"));
/** Letters that stand on number plates are data, not a text of ours. */
const LETTERS_OF_PLATES = "kit/marks/plates.ts";
const CHINESE = /[\u3400-\u9fff]/;
const SPOKEN_ATTRIBUTES = new Set(["title", "label", "placeholder", "alt", "aria-label", "content"]);

function flat(node: unknown, path = ""): [string, string][] {
  if (typeof node === "string") return [[path, node]];
  return Object.entries(node as Record<string, unknown>).flatMap(([key, value]) =>
    flat(value, path ? `${path}.${key}` : key),
  );
}

const ZH = new Map(flat(zh));
const EN = new Map(flat(en));

const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "").sort();
const read = (name: string): string => readFileSync(join(SOURCE, name), "utf8");
const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");

/** Texts that stand in a template as they are: between tags, and in attributes that are read out. */
function literals(nodes: readonly TemplateChildNode[]): string[] {
  return nodes.flatMap((node) => {
    if (node.type === NodeTypes.TEXT) return [node.content.trim()];
    if (node.type !== NodeTypes.ELEMENT) return [];
    const element: ElementNode = node;
    const spoken = element.props.flatMap((prop) =>
      prop.type === NodeTypes.ATTRIBUTE && SPOKEN_ATTRIBUTES.has(prop.name) ? [prop.value?.content ?? ""] : [],
    );
    return [...spoken, ...literals(element.children)];
  });
}

describe("locales", () => {
  it("have the same keys", () => {
    expect([...EN.keys()].sort()).toEqual([...ZH.keys()].sort());
  });

  it("fill in the same words", () => {
    for (const [key, text] of ZH) expect(placeholders(EN.get(key) ?? ""), key).toEqual(placeholders(text));
  });

  it("leave nothing empty, and nothing in the wrong language", () => {
    for (const [key, text] of [...ZH, ...EN]) expect(text.trim(), key).not.toBe("");
    const chinese = [...EN].filter(
      ([key, text]) => CHINESE.test(text) && !/otherLanguage|languages\.zh|credentialHint/.test(key),
    );
    expect(chinese).toEqual([]);
  });

  it("have every key that the console asks for", () => {
    const asked = FILES.flatMap((name) =>
      [...read(name).matchAll(/\bt\(\s*["']([\w.]+)["']/g)].map((match) => match[1] ?? ""),
    );
    expect(asked.length).toBeGreaterThan(200);
    expect(asked.filter((key) => !ZH.has(key))).toEqual([]);
  });

  it("keep no text that nobody asks for", () => {
    const code = FILES.map(read).join("\n");
    const unused = [...ZH.keys()].filter((key) => {
      const path = key.split(".");
      const parents = path.map((_, place) => path.slice(0, place).join(".")).filter(Boolean);
      return (
        !code.includes(`"${key}"`) &&
        !code.includes(`'${key}'`) &&
        !parents.some(
          (parent) =>
            code.includes(`\`${parent}.\${`) || code.includes(`("${parent}"`) || code.includes(`('${parent}'`),
        )
      );
    });
    expect(unused).toEqual([]);
  });
});

describe("components", () => {
  it.each(COMPONENTS)("%s says nothing by itself", (name) => {
    const { descriptor } = parse(read(name));
    const template = parseTemplate(descriptor.template?.content ?? "");
    // A sign, a number, a unit of the table's head: no letters, no text.
    const said = literals(template.children).filter((text) => /\p{L}/u.test(text));
    expect(said).toEqual([]);
    const script = withoutComments(`${descriptor.script?.content ?? ""}\n${descriptor.scriptSetup?.content ?? ""}`);
    expect(script).not.toMatch(CHINESE);
  });

  it.each(FILES.filter((name) => name.endsWith(".ts") && name !== LETTERS_OF_PLATES))("%s holds no Chinese", (name) => {
    expect(withoutComments(read(name))).not.toMatch(CHINESE);
  });
});
