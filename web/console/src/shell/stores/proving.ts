/** The one dialog that asks for the password again, before what would hand an account to somebody else. */

import { shallowRef } from "vue";

/** Who waits for the answer; null: nobody asks. */
export const proving = shallowRef<((proven: boolean) => void) | null>(null);

let asking: Promise<boolean> | null = null;

/** Whether the person proved who they are. Several that ask at once ask once. */
export function proveAgain(): Promise<boolean> {
  asking ??= new Promise<boolean>((resolve) => {
    proving.value = resolve;
  }).finally(() => {
    asking = null;
    proving.value = null;
  });
  return asking;
}
