// SPDX-License-Identifier: MIT
// blessed-contrib has no types. Only what screen.ts uses of one chart.
declare module 'blessed-contrib/lib/widget/charts/line.js' {
  import type { Widgets } from 'blessed';

  interface LineChart extends Widgets.BoxElement {
    canvasSize: { width: number; height: number };
    calcSize(): void;
    setData(data: { x: string[]; y: number[] }[]): void;
    options: Widgets.BoxOptions & { maxY: number };
  }
  const line: (options: object) => LineChart;
  export default line;
}
