/** Short words over the page, for what comes before the library that shows them. */

export type Tone = "success" | "warning" | "error";

/** Without the library, whose file cannot be fetched, they stand this long. */
const PLAIN_MS = 6000;

/** Says `message`; the same words once at a time. */
export function notice(tone: Tone, message: string): void {
  import("@/kit/notice-shown").then(({ show }) => show(tone, message)).catch(() => plain(message));
}

/** What is said when the wire has gone must not need the wire. */
function plain(message: string): void {
  const words = document.createElement("p");
  words.className = "plain-notice";
  words.setAttribute("role", "alert");
  words.textContent = message;
  document.body.append(words);
  setTimeout(() => words.remove(), PLAIN_MS);
}
