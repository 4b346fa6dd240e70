/** How much room there is. */

import { ref } from "vue";

function matching(query: string) {
  const list = matchMedia(query);
  const state = ref(list.matches);
  list.addEventListener("change", (event) => (state.value = event.matches));
  return state;
}

/** A phone: navigation at the bottom, one panel at a time. */
export const phone = matching("(width < 760px)");
