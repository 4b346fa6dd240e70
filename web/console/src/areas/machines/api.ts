/** /api/points, /api/readings, /api/meters. */

import { api } from "@/api/client";
import type { Aggregate, DeviceStanding, Meter, Page, Point, PointState, Read, Series } from "@/api/types";

export { AGGREGATES, type Aggregate, type Meter, type Read as Reading } from "@/api/types";

/** A point as its list has it, or as far as the stream has told of it. */
export type PointItem = PointState;

export const points = async (site: string | null): Promise<Point[]> =>
  (await api.get<Page<Point>>("/api/points", { site })).items;

export const devices = async (site: string | null): Promise<DeviceStanding[]> =>
  (await api.get<Page<DeviceStanding>>("/api/devices", { site })).items;

export interface ReadingsAsked {
  site: string;
  point: string;
  from: number;
  to: number;
  /** Seconds; without it the readings come as they were taken. */
  step?: number;
  agg?: Aggregate;
}

export const readings = async (asked: ReadingsAsked): Promise<Read[]> => {
  const span = { from: new Date(asked.from).toISOString(), to: new Date(asked.to).toISOString() };
  return (await api.get<Series>("/api/readings", { ...asked, ...span })).items;
};

export const meters = async (site: string | null, from: string): Promise<Meter[]> =>
  (await api.get<Page<Meter>>("/api/meters", { site, from })).items;
