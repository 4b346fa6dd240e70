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

/** A desk with room for three columns: what is wanted at once stands side by side. */
export const desk = matching("(width >= 1180px)");
