/** The parts of ECharts that the console draws with; nothing else of it is shipped. */

import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use, type EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([BarChart, LineChart, GridComponent, TooltipComponent, MarkLineComponent, CanvasRenderer]);

export { init, type EChartsType };

/** A colour of the theme as it is now: canvases know no custom properties. */
export function themed(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** What a tooltip shows: a node of text. A string would be taken for HTML, and devices name their own units. */
export function tip(text: string): HTMLElement {
  const shown = document.createElement("span");
  shown.textContent = text;
  return shown;
}
