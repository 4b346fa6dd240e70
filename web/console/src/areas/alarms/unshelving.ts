/** Taking an alarm off the shelf needs no dialog. */

import { ElMessage } from "element-plus";

import type { Alarm } from "@/api/types";
import { unshelve } from "@/areas/alarms/api";
import { faultText } from "@/kit/faults";
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
    ElMessage.error(faultText(error));
  }
}
