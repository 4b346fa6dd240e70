/** Parts that are fetched once somebody asks for them. */

import { defineAsyncComponent, type Component } from "vue";

import { i18n } from "@/kit/i18n";
import { notice } from "@/kit/notice";

/** What stands in the place of a part that did not come. */
const nothing: Component = { render: () => null };

/** The part that `load` brings. Where it does not come the person is told, and `failed` takes back that it was asked for. */
export function partOf(load: () => Promise<Component>, failed: () => void): Component {
  return defineAsyncComponent({
    loader: load,
    errorComponent: nothing,
    onError: (_error, _retry, fail) => {
      fail();
      failed();
      notice("error", i18n.global.t("error.part"));
    },
  });
}
