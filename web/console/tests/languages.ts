/** Both languages are there before any test speaks. */

import { learn } from "@/kit/i18n";

await learn("en");
