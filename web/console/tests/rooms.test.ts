/** Which room of the console may look into which: downwards only, and no area into another's. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, it } from "vitest";

import { ROLES } from "@/api/shapes";
import { AREAS } from "@/areas";
import { NAMED } from "@/live/tables";
import en from "@/locales/en.json";
import { laidOut, MOST_ON_DESK, MOST_ON_PHONE, WAYS } from "@/shell/area";

const SOURCE = join(import.meta.dirname, "..", "src");
const FILES = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((name) => /\.(vue|ts)$/.test(name));
const FOLDERS = readdirSync(join(SOURCE, "areas"));

type Room = "texts" | "api" | "kit" | "table" | "tables" | "live" | "stores" | "area" | "list" | "shell" | "main";

/** The first that fits. An area's live tables lie below the fold that reads them. Part of the shell lies below the areas, which stand on it; its frame lies above and shows them. */
const ROOMS: readonly [RegExp, Room][] = [
  [/^(locales|styles)\/|^testids$/, "texts"],
  [/^api\//, "api"],
  [/^kit\//, "kit"],
  [/^live\/table$/, "table"],
  [/^areas\/[^/]+\/live$/, "tables"],
  [/^live\//, "live"],
  [/^shell\/(stores\/|marks\/|addresses$|area$|fields$)/, "stores"],
  [/^areas\//, "area"],
  [/^areas$/, "list"],
  [/^shell\//, "shell"],
  [/^main$/, "main"],
];

const MAY_IMPORT: Record<Room, readonly Room[]> = {
  texts: [],
  api: [],
  kit: ["texts", "api"],
  table: ["api"],
  tables: ["api", "table"],
  live: ["api", "kit", "table", "tables"],
  stores: ["texts", "api", "kit", "live", "table"],
  area: ["texts", "api", "kit", "live", "table", "stores"],
  list: ["stores"],
  shell: ["texts", "api", "kit", "live", "table", "stores", "list"],
  main: ["texts", "api", "kit", "stores", "shell"],
};

/** What looks into another area all the same. */
const EXCEPTIONS: readonly { from: string; to: string; why: string }[] = [
  {
    from: "areas/guard/Guard.vue",
    to: "areas/alarms/AlarmsPanel.vue",
    why: "a guard sees the alarms beside who comes, in the same cards and with the same buttons",
  },
  {
    from: "areas/history/History.vue",
    to: "areas/guard/EntryRow.vue",
    why: "a row of the history is a row of the guard's feed, further back",
  },
  {
    from: "areas/people/HolderDetail.vue",
    to: "areas/changes/ChangeList.vue",
    why: "what was changed about one holder is the list of all changes, for one",
  },
];

const IMPORTED = /(?:\bfrom|\bimport|\bimport\(|\bnew URL\()\s*["'](@\/[^"']+|\.[^"']+)["']/g;
const bare = (path: string): string => path.replace(/\.ts$/, "");

const read = (file: string): string => readFileSync(join(SOURCE, file), "utf8");

/** What a file imports of the console's own, however it does so: paths below `src`, without `.ts`. */
function importsOf(file: string): string[] {
  return [...read(file).matchAll(IMPORTED)].map(([, path = ""]) =>
    bare(path.startsWith("@/") ? path.slice(2) : posix.join(posix.dirname(file), path)),
  );
}

function roomOf(path: string): Room {
  const room = ROOMS.find(([pattern]) => pattern.test(bare(path)))?.[1];
  if (room === undefined) throw new Error(`${path} is in no room`);
  return room;
}

const areaOf = (path: string): string | undefined => /^areas\/([^/]+)\//.exec(path)?.[1];

function allowed(from: string, to: string): boolean {
  const [room, other] = [roomOf(from), roomOf(to)];
  if (room === "list" && other === "area") return to.endsWith("/area");
  return room === other ? areaOf(from) === areaOf(to) : MAY_IMPORT[room].includes(other);
}

it("reads every way to import", () => {
  expect(importsOf("main.ts")).toEqual(expect.arrayContaining(["shell/App.vue", "styles/global.css"]));
  expect(importsOf("live/connect.ts")).toContain("live/shared-worker");
  expect(importsOf("areas/guard/area.ts")).toContain("areas/guard/Guard.vue");
});

it("knows an arrow that goes up, or aside", () => {
  for (const [from, to] of [
    ["kit/i18n.ts", "shell/stores/site"],
    ["shell/stores/site.ts", "areas/sites/api"],
    ["areas/guard/Guard.vue", "areas/alarms/api"],
    ["areas/guard/Guard.vue", "shell/router"],
    ["shell/AppNav.vue", "areas/alarms/api"],
    ["areas.ts", "areas/alarms/api"],
    ["areas/alarms/live.ts", "shell/stores/live"],
    ["live/fold.ts", "areas/alarms/area"],
  ] as const)
    expect(allowed(from, to), `${from} → ${to}`).toBe(false);
});

it("holds the arrows, and no exception that nobody needs", () => {
  const arrows = FILES.flatMap((from) => importsOf(from).map((to) => ({ from, to })));
  const wrong = arrows.filter(({ from, to }) => !allowed(from, to)).map(({ from, to }) => `${from} → ${to}`);
  expect(wrong.sort()).toEqual(EXCEPTIONS.map(({ from, to }) => `${from} → ${to}`).sort());
});

it.each(FOLDERS)("areas/%s says what it is, and is listed", (name) => {
  expect(existsSync(join(SOURCE, "areas", name, "area.ts"))).toBe(true);
  expect(importsOf("areas.ts")).toContain(`areas/${name}/area`);
});

it("folds each area's live tables, each kind in one of them", () => {
  const own = FOLDERS.map((name) => `areas/${name}/live`).filter((path) => existsSync(join(SOURCE, `${path}.ts`)));
  expect(own.length).toBeGreaterThan(3);
  expect(importsOf("live/tables.ts").filter((path) => path.startsWith("areas/")).sort()).toEqual(own.sort());
  expect(new Set(NAMED.map(([, table]) => table.kind)).size).toBe(NAMED.length);
});

it("keeps pages, and all that draws, out of the worker that tabs share", () => {
  const reached = new Set(["live/shared-worker"]);
  // A set is gone through to its end, also what is added on the way.
  for (const path of reached) if (!path.endsWith(".vue")) for (const next of importsOf(`${path}.ts`)) reached.add(next);
  expect([...reached].filter((path) => path.endsWith(".vue"))).toEqual([]);
  expect([...reached].filter((path) => /^areas\/|^live\/tables$/.test(path)).length).toBeGreaterThan(4);
  const outside = [...reached].flatMap((path) => [...read(`${path}.ts`).matchAll(/^import .*from "([^@.][^"]*)"/gm)]);
  expect(outside.map(([line]) => line)).toEqual([]);
});

it("keeps the component library out of what the guard's page and the frame bring with them", () => {
  const reached = new Set(["areas/guard/Guard.vue", "shell/App.vue"]);
  const STATIC = /^(?:import|export) (?!type )(?:[^;"']+ from )?["']([^"']+)["']/gm;
  const outside = new Set<string>();
  for (const path of reached) {
    const file = /\.(vue|css|json)$/.test(path) ? path : `${path}.ts`;
    if (!/\.(vue|ts)$/.test(file)) continue;
    for (const [, to = ""] of read(file).matchAll(STATIC)) {
      if (to.startsWith("@/")) reached.add(bare(to.slice(2)));
      else if (to.startsWith(".")) reached.add(bare(posix.join(posix.dirname(file), to)));
      else outside.add(`${file}: ${to}`);
    }
  }
  expect(reached.size).toBeGreaterThan(60);
  expect([...outside].filter((line) => line.includes("element-plus"))).toEqual([]);
});

/** Styles of what those that are named bring with them: a dialog its overlay, a select its list, tags and popper. */
const BROUGHT = ["overlay", "popper", "scrollbar", "select-dropdown", "tag", "tooltip"];

it("has the styles of each component of the library that it uses, and of no other", () => {
  const names = FILES.flatMap((file) => [...read(file).matchAll(/^import \{ ([^}]*) \} from "element-plus"/gm)].flatMap(([, list = ""]) => list.split(", ")));
  const used = new Set(names.map((name) => name.slice(2).replace(/(?<=.)[A-Z]/g, (letter) => `-${letter}`).toLowerCase()));
  used.delete("date-picker"); // comes with the one dialog that has it
  const styled = [...read("styles/element.css").matchAll(/theme-chalk\/el-([\w-]+)\.css/g)].map(([, name = ""]) => name);
  expect(styled.sort()).toEqual([...used, ...BROUGHT].sort());
});

it("lists each area once, each page once, and names each page that the navigation shows", () => {
  expect(new Set(AREAS).size).toBe(FOLDERS.length);
  expect(AREAS).toHaveLength(FOLDERS.length);
  const pages = AREAS.flatMap((area) => area.pages);
  expect(new Set(pages.map(({ path }) => path)).size).toBe(pages.length);
  for (const { nav } of pages) if (nav) expect(en.nav).toHaveProperty(nav.label.slice("nav.".length));
});

it("keeps who may open which page", () => {
  const pages = AREAS.flatMap((area) => area.pages.map((page) => [page.path, page.ability ?? "everybody", page.nav?.label]));
  expect(pages).toEqual([
    ["/sites", "sites.read", "nav.sites"],
    ["/guard", "watch", "nav.guard"],
    ["/history", "watch", "nav.history"],
    ["/alarms", "alarms.ack", "nav.alarms"],
    ["/tickets", "tickets.read", "nav.tickets"],
    ["/tickets/:id", "tickets.read", undefined],
    ["/points", "points.read", "nav.points"],
    ["/meters", "meters.read", "nav.meters"],
    ["/devices", "devices.read", "nav.devices"],
    ["/people", "people.read", "nav.people"],
    ["/accounts", "accounts.write", "nav.settings"],
    ["/site-accounts", "accounts.lock", "nav.settings"],
    ["/me", "everybody", undefined],
    ["/changes", "changes.read", "nav.changes"],
    ["/jobs", "jobs.run", "nav.jobs"],
  ]);
  expect(AREAS.flatMap((area) => area.over ?? [])).toHaveLength(2);
  const badged = AREAS.flatMap((area) => area.pages).filter((page) => page.nav?.badge);
  expect(badged.map((page) => page.path)).toEqual(["/alarms", "/tickets"]);
});

const ENTRIES = AREAS.flatMap((area) => area.pages).filter((page) => page.nav);
const paths = (pages: readonly { path: string }[]): string[] => pages.map(({ path }) => path);

it.each(ROLES)("a way leads %s to pages that there are, each once, and home is one of them", (role) => {
  const { home, first } = WAYS[role];
  expect(paths(ENTRIES)).toEqual(expect.arrayContaining([...first, home]));
  expect(new Set(first).size).toBe(first.length);
  expect(first).toContain(home);
  for (const most of [MOST_ON_DESK, MOST_ON_PHONE]) {
    const { shown, more } = laidOut(role, ENTRIES, most);
    // Nothing is lost, and “more” is an entry itself.
    expect(paths([...shown, ...more]).sort()).toEqual(paths(ENTRIES).sort());
    expect(shown.length + 1).toBeLessThanOrEqual(most);
    expect(paths(shown)).toEqual(first.slice(0, shown.length));
  }
});

it("shows pages in the order of a role, without “more” where all of them fit", () => {
  const of = (...wanted: string[]) => ENTRIES.filter(({ path }) => wanted.includes(path));
  expect(laidOut("maintenance", of("/alarms", "/tickets", "/devices"), MOST_ON_PHONE)).toMatchObject({
    shown: [{ path: "/tickets" }, { path: "/devices" }, { path: "/alarms" }],
    more: [],
  });
  // What a role seldom wants stands under “more”, also where there is room.
  expect(paths(laidOut("maintenance", of("/alarms", "/history"), MOST_ON_DESK).more)).toEqual(["/history"]);
  const phone = laidOut("guard", ENTRIES, MOST_ON_PHONE);
  expect(paths(phone.shown)).toEqual(["/guard", "/alarms", "/history", "/tickets"]);
});
