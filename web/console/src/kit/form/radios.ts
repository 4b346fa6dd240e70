import { nextTick, type ObjectDirective } from "vue";

const STEPS: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

function radiosIn(group: HTMLElement): HTMLElement[] {
  return [...group.querySelectorAll<HTMLElement>("[role=radio]")];
}

/** Tab comes to the chosen one, or to the first while none is chosen. */
function rove(group: HTMLElement): void {
  const radios = radiosIn(group);
  const reached = radios.find((radio) => radio.ariaChecked === "true") ?? radios[0];
  for (const radio of radios) radio.tabIndex = radio === reached ? 0 : -1;
}

function walk(event: KeyboardEvent): void {
  const by = STEPS[event.key];
  if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  const radios = radiosIn(event.currentTarget as HTMLElement);
  const from = radios.indexOf(event.target as HTMLElement);
  const next = radios[(from + by + radios.length) % radios.length];
  if (from < 0 || !next) return;
  event.preventDefault();
  next.click();
  void nextTick(() => next.focus());
}

/** Buttons of role radio in a radiogroup behave like radios: one stop for Tab, and arrows choose the next. */
export const vRadios: ObjectDirective<HTMLElement> = {
  mounted(group) {
    rove(group);
    group.addEventListener("keydown", walk);
  },
  updated: rove,
};
