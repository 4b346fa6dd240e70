/** Two people changed one record: what it was, what the other made of it, what this person wants. Pure. */

export interface Clash {
  field: string;
  old: unknown;
  theirs: unknown;
  mine: unknown;
  /** Whether this person changed the field too: then they must choose. */
  both: boolean;
}

export type Choice = "theirs" | "mine";
type Fields = Record<string, unknown>;

const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/;

/** The same moment is written in several ways, and an object's keys come in any order. */
function normal(value: unknown): unknown {
  if (typeof value === "string" && INSTANT.test(value)) return Date.parse(value);
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== "object" || value === null) return value ?? null;
  const entries = Object.entries(value as Fields).sort(([one], [other]) => (one < other ? -1 : 1));
  return entries.map(([name, inner]) => [name, normal(inner)]);
}

export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(normal(one)) === JSON.stringify(normal(other));
}

/** The fields of a form that somebody else changed to something that this person does not want anyway. */
export function clashesOf(old: object, theirs: object, mine: object): Clash[] {
  const [was, is, wanted] = [old as Fields, theirs as Fields, mine as Fields];
  return Object.keys(wanted)
    .filter((field) => field in is && !same(was[field], is[field]) && !same(is[field], wanted[field]))
    .map((field) => ({
      field,
      old: was[field],
      theirs: is[field],
      mine: wanted[field],
      both: !same(was[field], wanted[field]),
    }));
}

/** What is sent once this person has chosen. */
export function settled(clashes: readonly Clash[], choices: Readonly<Record<string, Choice>>): Fields {
  return Object.fromEntries(
    clashes.map((clash) => [clash.field, choices[clash.field] === "mine" ? clash.mine : clash.theirs]),
  );
}
