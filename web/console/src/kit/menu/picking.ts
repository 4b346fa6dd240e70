/** Between a menu and its items. */

import type { InjectionKey } from "vue";

export const MENU_PICK: InjectionKey<(value: string) => void> = Symbol("menu");
