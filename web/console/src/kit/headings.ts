/** Which rank a heading has where something is shown that stands beside a list as well as on a page of its own. */

import { inject, provide, type InjectionKey } from "vue";

const ABOVE: InjectionKey<number> = Symbol("the heading above");

/** What is shown here stands under a heading of this rank (1 is the page's own). */
export const headsUnder = (rank: number): void => provide(ABOVE, rank);

/** The rank of the heading above; 0: there is none, the first is the page's. */
export const rankAbove = (): number => inject(ABOVE, 0);
