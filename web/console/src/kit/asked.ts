/** One thing: as the live stream has it, or asked of the server once. */

import { computed, ref, shallowRef, watch, type ComputedRef, type Ref } from "vue";

import { ApiError } from "@/api/client";
import { faultText } from "@/kit/faults";
import { i18n } from "@/kit/i18n";

export interface Asked<V> {
  item: ComputedRef<V | null>;
  /** Why there is nothing to show, in words. */
  fault: Ref<string>;
  loading: Ref<boolean>;
  again: () => Promise<void>;
}

/** `known`: what the stream says of it. `ask`: the question to the server, put again whenever what it reads changes. */
export function useAsked<V>(known: () => V | null | undefined, ask: () => Promise<V>): Asked<V> {
  const answered = shallowRef<V | null>(null);
  const fault = ref("");
  const loading = ref(false);
  let asking = 0;

  async function again(): Promise<void> {
    const mine = ++asking;
    if (known()) return;
    loading.value = true;
    try {
      const found = await ask();
      if (mine !== asking) return;
      answered.value = found;
      fault.value = "";
    } catch (error) {
      if (mine === asking) fault.value = missingText(error);
    } finally {
      if (mine === asking) loading.value = false;
    }
  }

  void again();
  watch(() => !known(), (gone) => gone && answered.value === null && void again());
  return { item: computed(() => known() ?? answered.value), fault, loading, again };
}

/** Why one thing cannot be shown. */
export function missingText(error: unknown): string {
  const { t } = i18n.global;
  if (error instanceof ApiError && error.status === 404) return t("peek.missing");
  if (error instanceof ApiError && error.status === 403) return t("peek.forbidden");
  if (error instanceof ApiError && error.status === 422) return t("peek.missing");
  return faultText(error);
}
