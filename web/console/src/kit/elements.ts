/**
 * The component library as the console has it, with its styles and in the reader's language. It is a third of all that
 * a browser would fetch for the first page, and the frame and the guard's page need none of it: whoever imports
 * `element-plus` gets this file (`vite.config.ts`), so it comes with whatever uses one of its components.
 */

import { messageConfig, provideGlobalConfig } from "element-plus/es";
import elementEn from "element-plus/es/locale/lang/en";
import elementZh from "element-plus/es/locale/lang/zh-cn";
import { reactive, watchEffect, type App } from "vue";

import { give } from "@/kit/given";
import { preferences } from "@/kit/preferences";
import "@/styles/element.css";
import "@/styles/thumbs-elements.css";

export * from "element-plus/es";

/** Pixels from the top: below the frame's head. */
const MESSAGES_AT = 68;

const config = reactive({ locale: elementZh });
watchEffect(() => (config.locale = preferences.language === "zh" ? elementZh : elementEn));
Object.assign(messageConfig, { offset: MESSAGES_AT });
provideGlobalConfig(config, { provide: give } as App, true);
