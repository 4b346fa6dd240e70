/** Short words over the page, for what comes before the library that shows them. */

export type Tone = "success" | "warning" | "error";

/** Says `message`; the same words once at a time. */
export function notice(tone: Tone, message: string): void {
  void import("@/kit/notice-shown").then(({ show }) => show(tone, message));
}
