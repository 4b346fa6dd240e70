/** Whose a car, card or code is, in words: 住户车, 员工卡. */

import type { CredentialKind } from "@/api/types";
import { i18n } from "@/kit/i18n";

/** "" where that is not known. `kind`: of the person. */
export function whoseText(kind: string | undefined, what: CredentialKind | undefined): string {
  const { t, te } = i18n.global;
  if (!kind || !what || !te(`feed.whose.${kind}`)) return "";
  return t("feed.ofWhom", { whose: t(`feed.whose.${kind}`), what: t(`feed.things.${what}`) });
}
