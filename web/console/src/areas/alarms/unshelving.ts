/** Taking an alarm off the shelf needs no dialog. */

import type { Alarm } from "@/api/types";
import { unshelve } from "@/areas/alarms/api";
import { faultText } from "@/kit/faults";
import { notice } from "@/kit/notice";
import { follow } from "@/shell/stores/commands";

export async function unshelveAlarm(alarm: Alarm): Promise<void> {
  try {
    const answer = await unshelve(alarm.id, "");
    follow({
      id: answer.id,
      state: answer.state,
      site: alarm.site,
      target: alarm.id,
      kind: "alarm.unshelve",
      reason: "",
    });
  } catch (error) {
    notice("error", faultText(error));
  }
}
