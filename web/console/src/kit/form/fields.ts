/** What the fields of one form share: which there are, and what is wrong with each. */

import type { InjectionKey } from "vue";

export interface FormFields {
  /** Field → what is wrong with it. */
  faults: Record<string, string>;
  /** A field that is shown takes its faults itself; those of all others are said at the form's foot. */
  add(name: string, required: boolean): void;
  remove(name: string): void;
}

export const FORM_FIELDS: InjectionKey<FormFields> = Symbol("fields of a form");

/** Whether somebody still has to fill it in. */
export function blank(value: unknown): boolean {
  if (typeof value === "string") return value.trim() === "";
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}
