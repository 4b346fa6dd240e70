/** How a number plate looks, so that a guard recognises it before reading it. Pure. */

export type PlateLook = "blue" | "green" | "yellow" | "white" | "black";

const COLOURS: Record<string, PlateLook> = {
  blue: "blue",
  green: "green",
  yellow: "yellow",
  white: "white",
  black: "black",
  蓝: "blue",
  绿: "green",
  黄: "yellow",
  白: "white",
  黑: "black",
};

/** The colour that the camera saw, else what the number itself says (GA 36: eight characters are new-energy, green). */
export function plateLook(plate: string, colour = ""): PlateLook {
  for (const [word, look] of Object.entries(COLOURS)) if (colour.toLowerCase().includes(word)) return look;
  if ([...plate].length === 8) return "green";
  return /[警使领港澳]$/.test(plate) ? "white" : "blue";
}

/** Province and authority, then the rest: 沪A 12345. */
export function plateParts(plate: string): [string, string] {
  const letters = [...plate];
  return [letters.slice(0, 2).join(""), letters.slice(2).join("")];
}

/** Signs at a plate's end that somebody types who means this very car. */
const END = 4;

/** The last signs of a plate, without spaces, dots and hyphens. */
export function plateEnd(plate: string): string {
  return plain(plate).slice(-END);
}

/** Whether these are the last signs of the plate. */
export function isPlateEnd(plate: string, typed: string): boolean {
  return plain(typed) === plateEnd(plate);
}

function plain(signs: string): string {
  return signs.normalize("NFKC").replace(/[\s.\-·•]+/g, "").toUpperCase();
}
