/** What is drawn of a row of values: lines, their grounds and bars. Pure. */

/** [Unix ms, value]; null breaks the line. */
export type Spot = [number, number | null];
/** [px from the left, px from the top]. */
export type Place = [number, number];

/**
 * At most four spots a column of `width` px, in which there are more: the first, the least, the greatest and the last one,
 * so that no peak is lost; and what breaks the line.
 */
export function thinned(spots: readonly Spot[], width: number): readonly Spot[] {
  const [first, last] = [spots[0]?.[0] ?? 0, spots.at(-1)?.[0] ?? 0];
  if (spots.length <= 4 * width || last <= first) return spots;
  const kept = new Set<Spot>();
  let column: Spot[] = [];
  let number = 0;
  const close = (): void => {
    const known = column.filter((spot): spot is [number, number] => spot[1] !== null).sort((a, b) => a[1] - b[1]);
    for (const spot of [column[0], column.at(-1), known[0], known.at(-1)]) if (spot) kept.add(spot);
    column = [];
  };
  for (const spot of spots) {
    const its = Math.floor(((spot[0] - first) / (last - first)) * width);
    if (its !== number || spot[1] === null) close();
    number = its;
    if (spot[1] === null) kept.add(spot);
    else column.push(spot);
  }
  close();
  return spots.filter((spot) => kept.has(spot));
}

/** What hangs together: one row of places for each stretch without a break. */
export function stretches(spots: readonly Spot[], place: (at: number, value: number) => Place): Place[][] {
  const found: Place[][] = [[]];
  for (const [at, value] of spots) {
    if (value === null) found.push([]);
    else found.at(-1)?.push(place(at, value));
  }
  return found.filter((stretch) => stretch.length > 0);
}

/** The line through a stretch as a path; `step`: a value holds until the next one. */
export function line(stretch: readonly Place[], step: boolean): string {
  return stretch
    .map(([x, y], place) => (place === 0 ? `M${px(x)} ${px(y)}` : step ? `H${px(x)}V${px(y)}` : `L${px(x)} ${px(y)}`))
    .join("");
}

/** The ground beneath a stretch, down to `bottom`. */
export function ground(stretch: readonly Place[], bottom: number): string {
  const [first, last] = [stretch[0], stretch.at(-1)];
  return first && last ? `${line(stretch, false)}L${px(last[0])} ${bottom}L${px(first[0])} ${bottom}Z` : "";
}

/** How wide a bar may be, px: seven tenths of the least room between two. */
export function barWidth(at: readonly number[], most = 26): number {
  let room = Infinity;
  for (let place = 1; place < at.length; place += 1) room = Math.min(room, (at[place] ?? 0) - (at[place - 1] ?? 0));
  return Math.max(1, Math.min(most, room * 0.7));
}

/** The place of what is next to `x` in a rising row; -1: the row is empty. */
export function nearest(row: readonly number[], x: number): number {
  let best = row.length - 1;
  for (let place = row.length - 2; place >= 0; place -= 1)
    if (Math.abs((row[place] ?? 0) - x) < Math.abs((row[best] ?? 0) - x)) best = place;
  return best;
}

function px(length: number): number {
  return Math.round(length * 10) / 10;
}
