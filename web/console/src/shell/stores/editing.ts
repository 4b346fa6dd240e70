/** Saving what somebody else may have changed meanwhile: the server refuses, the person compares and goes on. */

import { shallowRef } from "vue";

import { ApiError } from "@/api/client";
import { clashesOf, settled, type Choice, type Clash } from "@/kit/clashes";

export interface Comparison {
  site: string | null;
  clashes: Clash[];
  /** It is to be removed: there is nothing to choose, only whether. */
  removes: boolean;
  /** Null: the person lets it be. */
  decide: (choices: Record<string, Choice> | null) => void;
}

/** What `ClashDialog` asks just now. */
export const comparison = shallowRef<Comparison | null>(null);

type Versioned = { version: number; site?: string };

function compare(asked: Omit<Comparison, "decide">): Promise<Record<string, Choice> | null> {
  return new Promise((resolve) => {
    comparison.value = {
      ...asked,
      decide: (choices) => {
        comparison.value = null;
        resolve(choices);
      },
    };
  });
}

/** The record as it stands, if the server refused because of it; any other error passes on. */
function standing(error: unknown): Versioned {
  if (error instanceof ApiError && error.status === 412 && error.current) return error.current as unknown as Versioned;
  throw error;
}

/** Sends `mine`; where somebody else was faster, asks and sends what was chosen. Null: the person let it be. */
export async function saving<Body extends object, Item>(
  opened: Versioned,
  mine: Body,
  send: (body: Body, version: number) => Promise<Item>,
): Promise<Item | null> {
  let [held, body] = [opened, mine];
  for (;;) {
    try {
      return await send(body, held.version);
    } catch (error) {
      const now = standing(error);
      const clashes = clashesOf(held, now, body);
      if (clashes.length > 0) {
        const choices = await compare({ site: opened.site ?? null, clashes, removes: false });
        if (choices === null) return null;
        body = { ...body, ...settled(clashes, choices) };
      }
      held = now;
    }
  }
}

/** Removes; where somebody else has changed it meanwhile, shows what and asks again. False: the person let it be. */
export async function removing(opened: Versioned, send: (version: number) => Promise<void>): Promise<boolean> {
  let held = opened;
  for (;;) {
    try {
      await send(held.version);
      return true;
    } catch (error) {
      const now = standing(error);
      const { version: _, changed_at: __, ...shown } = held as Versioned & { changed_at?: string };
      const clashes = clashesOf(held, now, shown);
      if ((await compare({ site: opened.site ?? null, clashes, removes: true })) === null) return false;
      held = now;
    }
  }
}
