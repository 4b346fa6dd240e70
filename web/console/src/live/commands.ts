/** The live table of commands, which every area may send. Pure. */

import type { Command, CommandKind } from "@/api/types";
import { byId, type LiveTable } from "@/live/table";

export const commands: LiveTable<Command> = {
  kind: "command",
  key: byId,
  // A command's own `kind` is what it asks for (`barrier.open`), unless the server says plainly "command".
  fold: (known, came) => ({
    ...known,
    ...(came as unknown as Command),
    kind: (came.kind === "command" ? (known?.kind ?? String(came.command ?? "")) : came.kind) as CommandKind,
  }),
  snapshot: "nothing",
  most: 100,
};
