/** Which alarms a person wants to see, of those that a screen holds; of what is over the server is asked the same. Pure. */

import type { Alarm, Layout, Severity } from "@/api/types";
import { unseen } from "@/live/alarms";

export interface Wanted {
  severities: readonly Severity[];
  /** Kind of a device, as its profile says. */
  kind: string;
  place: string;
  site: string;
  words: string;
  unseen: boolean;
}

/** How an alarm's asset is described: its device, if it is one. */
export function deviceOf(alarm: Alarm, layout: Layout | undefined): Layout["devices"][number] | undefined {
  return layout?.devices.find((device) => device.id === alarm.asset || device.id === alarm.source);
}

export function matches(alarm: Alarm, wanted: Wanted, layout: Layout | undefined, names: string): boolean {
  if (wanted.severities.length > 0 && !wanted.severities.includes(alarm.severity)) return false;
  if (wanted.site && alarm.site !== wanted.site) return false;
  if (wanted.unseen && !unseen(alarm)) return false;
  const device = deviceOf(alarm, layout);
  if (wanted.kind && device?.kind !== wanted.kind) return false;
  if (wanted.place && placeOf(alarm, layout)?.zh !== wanted.place) return false;
  const text = `${alarm.message.zh} ${alarm.message.en} ${alarm.note} ${alarm.rule} ${names}`.toLowerCase();
  return wanted.words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** Where an alarm's thing stands, as its site's file says. */
export function placeOf(alarm: Alarm, layout: Layout | undefined): Layout["devices"][number]["place"] | undefined {
  const at = (thing: { id: string }): boolean => thing.id === alarm.asset || thing.id === alarm.source;
  return (layout?.devices.find(at) ?? layout?.doors.find(at) ?? layout?.lanes.find(at))?.place;
}

/** Sources and assets of that kind or at that place, for the server, which knows neither; null: not asked for. */
export function sourcesOf(wanted: Wanted, layouts: Iterable<Layout>): string[] | null {
  if (!wanted.kind && !wanted.place) return null;
  const found: string[] = [];
  for (const layout of layouts) {
    for (const device of layout.devices)
      if ((!wanted.kind || device.kind === wanted.kind) && (!wanted.place || device.place?.zh === wanted.place))
        found.push(device.id);
    if (wanted.kind) continue;
    for (const place of [...layout.doors, ...layout.lanes]) if (place.place?.zh === wanted.place) found.push(place.id);
  }
  return found;
}
