/** Values of points for people. Pure. */

import type { Value } from "@/api/types";

/** As many digits as say something: 1834.2, 27.35, 0.0123; thousands are not grouped, gauges never were. */
export function numberText(value: number, digits?: number): string {
  if (!Number.isFinite(value)) return "–";
  if (digits !== undefined) return value.toFixed(digits);
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1000) return value.toFixed(1);
  if (size >= 10) return trimmed(value.toFixed(2));
  if (size >= 0.1) return trimmed(value.toFixed(3));
  return value.toPrecision(3);
}

function trimmed(text: string): string {
  return text.replace(/0+$/, "").replace(/\.$/, "");
}

export interface FlagWords {
  yes: string;
  no: string;
}

const SIGNS: Record<string, string> = { m2: "m²", m3: "m³", degC: "°C", ug: "µg", ohm: "Ω" };

/** A unit as people write it: profiles keep to plain letters. */
export function unitText(unit: string | null | undefined): string {
  return (unit ?? "").replace(/[A-Za-z]+\d?/g, (part) => SIGNS[part] ?? part);
}

export function valueText(value: Value | undefined, flags: FlagWords): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return value ? flags.yes : flags.no;
  return typeof value === "number" ? numberText(value) : value;
}
