/** /api/points, /api/readings, /api/meters. */

import { api } from "@/api/client";
import type { Instant, Labels, Page, Point, Quality, Text, Value } from "@/api/types";

export type Aggregate = "avg" | "min" | "max" | "last" | "delta";
export const AGGREGATES: readonly Aggregate[] = ["avg", "min", "max", "last", "delta"];

export interface PointItem extends Point {
  site: string;
  name?: Text | null;
  type?: string;
  labels?: Labels;
  writable?: boolean;
}

export interface Reading {
  at: Instant;
  value: Value;
  quality: Quality;
}

export const points = async (site: string | null): Promise<PointItem[]> =>
  (await api.get<Page<PointItem>>("/api/points", { site })).items;

export interface ReadingsAsked {
  site: string;
  point: string;
  from: number;
  to: number;
  /** Seconds; without it the readings come as they were taken. */
  step?: number;
  agg?: Aggregate;
}

export const readings = async (asked: ReadingsAsked): Promise<Reading[]> => {
  const span = { from: new Date(asked.from).toISOString(), to: new Date(asked.to).toISOString() };
  return (await api.get<Page<Reading>>("/api/readings", { ...asked, ...span })).items;
};

export interface MeterDay {
  day: string;
  meter_no: string;
  first: number;
  last: number;
  used: number;
  rollovers: number;
  odd: number;
}

export interface Meter {
  id: string;
  site: string;
  register: string;
  meter_no: string;
  unit: string;
  value: number;
  at: Instant;
  used: number;
  days: MeterDay[];
}

export const meters = async (site: string | null, from: string): Promise<Meter[]> =>
  (await api.get<Page<Meter>>("/api/meters", { site, from })).items;
