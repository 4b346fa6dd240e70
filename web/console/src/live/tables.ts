/**
 * Every table of the live state, by its name there and in a snapshot. An area's own are in its `live.ts`, apart from its
 * pages and from `areas.ts`: the worker that tabs share folds them too, and loads no page for that.
 */

import * as alarms from "@/areas/alarms/live";
import * as guard from "@/areas/guard/live";
import * as machines from "@/areas/machines/live";
import * as tickets from "@/areas/tickets/live";
import { commands } from "@/live/commands";
import type { LiveTable } from "@/live/table";

export const TABLES = { ...guard, ...alarms, ...tickets, ...machines, commands };

export type TableName = keyof typeof TABLES;
export type Tables = {
  [Name in TableName]: (typeof TABLES)[Name] extends LiveTable<infer Item> ? Map<string, Item> : never;
};

type AnyTable = LiveTable<unknown>;
/** The tables as a fold goes through them: of what, their own files say. */
export const NAMED = Object.entries(TABLES) as [TableName, AnyTable][];

/** One of each, as `make` makes them. */
export function tables(make: () => Map<string, unknown>): Tables {
  return Object.fromEntries(NAMED.map(([name]) => [name, make()])) as Tables;
}
