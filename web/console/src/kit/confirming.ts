/** The question before what cannot be taken back. */

import { ElMessageBox } from "element-plus";

import { i18n } from "@/kit/i18n";

interface Asked {
  /** What the box is about, as its title: what would be done, where nothing else is said. */
  title?: string;
  /** The button that does it. */
  yes: string;
  /** For those who look for it. */
  customClass?: string;
}

/** Whether somebody wants it done; false: closed, or thought better of. */
export async function confirmed(question: string, { title, yes, customClass }: Asked): Promise<boolean> {
  const { t } = i18n.global;
  try {
    await ElMessageBox.confirm(question, title ?? yes, {
      confirmButtonText: yes,
      cancelButtonText: t("action.cancel"),
      type: "warning",
      customClass,
    });
    return true;
  } catch {
    return false;
  }
}
