/** What a table of the live state is: items that the stream tells of one by one. Pure. */

/** An item as the stream sends it. */
export type StateItem = Record<string, unknown> & { kind: string; id: string };

export interface LiveTable<Item> {
  /** What a state frame calls one of these. */
  kind: string;
  /** What an item is held by. */
  key: (item: { id: string; site?: string }) => string;
  /** What is held after a state frame; null: nothing any more. Without it, what came. */
  fold?: (known: Item | undefined, came: StateItem) => Item | null;
  /** What a snapshot says of them: all there are (without it), only some, or nothing. */
  snapshot?: "some" | "nothing";
  /** The most that are held; the longest known goes first. */
  most?: number;
}

/** Door and lane ids are the site's own: two sites may both have a `gate-in`. */
export function placeKey(site: string, id: string): string {
  return `${site}/${id}`;
}

export const atPlace = (item: { id: string; site?: string }): string => placeKey(item.site ?? "", item.id);
export const byId = (item: { id: string }): string => item.id;
