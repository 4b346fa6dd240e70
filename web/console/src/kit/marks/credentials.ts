/** Which drawing stands for what. */

import type { CredentialKind } from "@/api/types";
import type { IconName } from "@/kit/AppIcon.vue";

export const CREDENTIAL_ICONS: Record<CredentialKind, IconName> = {
  card: "card",
  plate: "car",
  pin: "pin",
  qr: "qr",
  face: "face",
};
