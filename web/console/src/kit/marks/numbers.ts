/** How much of a card's number somebody reads. Pure. */

/** The number of a card or code but its end, which tells two of them apart; a plate hangs on the car for everybody. */
export function numberShown(credential: { kind: string; value: string }, whole: boolean): string {
  const { kind, value } = credential;
  return whole || kind === "plate" || value.length <= 4 ? value : `••••${value.slice(-4)}`;
}
