/** Both languages are there from the beginning: tests switch, and look at once. */

import { loadLanguage } from "@/kit/i18n";

await loadLanguage("en");
