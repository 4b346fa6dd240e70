/** Whether a key is free for the page, or somebody else has the keyboard. */

/** A dialog, a menu or a list of choices lies over the page. */
export function overlaid(): boolean {
  const lying = document.querySelectorAll<HTMLElement>(".el-overlay, .el-popper:not([aria-hidden=true]), [role=menu]");
  return [...lying].some((each) => each.style.display !== "none" && each.checkVisibility() && !each.matches("[role=tooltip]"));
}

/** Somebody writes in a field. */
export function typing(event: KeyboardEvent): boolean {
  return event.target instanceof HTMLElement && event.target.closest("input, textarea, select, [contenteditable]") !== null;
}

/** A key alone, that nobody has answered to. */
export function free(event: KeyboardEvent): boolean {
  return !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented && !event.isComposing;
}
