/** That somebody's record was changed or removed here: the list beside it looks again. */

import { ref } from "vue";

export const heardOfHolders = ref(0);
