const STOPS = "a[href], button:not(:disabled), input:not(:disabled), select, textarea, [tabindex='0']";

/** Keeps Tab within `box`, which covers the whole screen: from its last stop to its first, and back. */
export function keepWithin(box: HTMLElement, event: KeyboardEvent): void {
  const stops = [...box.querySelectorAll<HTMLElement>(STOPS)].filter((stop) => stop.tabIndex >= 0 && stop.checkVisibility());
  const [first, last] = [stops[0], stops.at(-1)];
  if (!first || !last) return;
  const at = document.activeElement;
  const leaves = event.shiftKey ? at === first || at === box : at === last;
  if (!leaves && box.contains(at)) return;
  event.preventDefault();
  (event.shiftKey ? last : first).focus();
}
