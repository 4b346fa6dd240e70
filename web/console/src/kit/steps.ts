/** An instruction, taken apart. Pure. */

/** The steps of an instruction: one a line, or numbered in one line. The numbers go: a list has its own. */
export function stepsOf(instruction: string): string[] {
  return instruction
    .split(/\n+|(?<=[；;。.])\s*(?=\d+[.、)]\s)/)
    .map((step) =>
      step
        .replace(/^\s*\d+[.、)]\s*/, "")
        .replace(/[；;]\s*$/, "")
        .replace(/(?<=[，、；。])\s+/g, "")
        .trim(),
    )
    .filter(Boolean);
}
