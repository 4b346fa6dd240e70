/** What went wrong, in words for the person. */

import { ApiError } from "@/api/client";
import { i18n } from "@/kit/i18n";

/** A sentence for any error of a request; what is no such error is a fault of ours and passes on. */
export function faultText(error: unknown): string {
  if (!(error instanceof ApiError)) throw error;
  const { t } = i18n.global;
  if (error.code === "unanswered") return error.message || t("error.unanswered");
  if (error.status === 0) return t("error.unreachable");
  if (error.status === 429) return t("error.wait", { seconds: error.retryAfter ?? 1 });
  if (error.status === 404 && error.code === "not_found") return t("error.notFound");
  // What a field says again in the same words is said once.
  const fields = [...new Set(Object.values(error.fields))].filter((text) => text !== error.message);
  if (error.message) return fields.length > 0 ? `${error.message} (${fields.join("; ")})` : error.message;
  if (error.status === 403) return t("error.forbidden");
  if (error.status === 404) return t("error.notFound");
  return t("error.server", { status: error.status });
}
