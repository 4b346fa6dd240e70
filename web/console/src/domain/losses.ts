/** Why a device is gone: drivers say it in one language, what they say most has words here. Pure. */

export interface Loss {
  /** The name of the console's text; `other`: the driver's own words, in `why`. */
  key: "silent" | "quiet" | "unreachable" | "closed" | "foreign" | "other";
  words: Record<string, string>;
}

const KNOWN: readonly [RegExp, Loss["key"], readonly string[]][] = [
  [/^unit (\d+) did not answer within ([\d.]+) s$/, "silent", ["unit", "seconds"]],
  [/^nothing heard for ([\d.]+) s$/, "quiet", ["seconds"]],
  [/(?:connection refused|connect call failed|timed out|no route to host|unreachable|is not open)/i, "unreachable", []],
  [/the answer is another /, "foreign", []],
  [/(?:connection (?:reset|lost|closed)|broken pipe|closed by)/i, "closed", []],
];

export function lossOf(why: string): Loss {
  for (const [pattern, key, names] of KNOWN) {
    const found = pattern.exec(why);
    if (found) return { key, words: Object.fromEntries(names.map((name, place) => [name, found[place + 1] ?? ""])) };
  }
  return { key: "other", words: { why } };
}
