// SPDX-License-Identifier: MIT
/** The page's only style sheet. Colours: Okabe and Ito's, distinct to every kind of colour vision. */

export const OUTCOME_COLOURS: Readonly<Record<string, string>> = {
  success: '#009e73',
  retry: '#e69f00',
  completed: '#56b4e9',
  abort: '#cc79a7',
  error: '#d55e00',
  kernelMode: '#7f7f7f',
};

export const WORK_COLOURS: Readonly<Record<string, string>> = {
  fault: '#7f7f7f',
  attempt: '#56b4e9',
  wait: '#e69f00',
  lock: '#009e73',
};

export const STYLE = `
:root { color-scheme: light dark; --fg: #1a1a1a; --bg: #fff; --soft: #595959; --line: #d0d0d0; --panel: #f5f5f5; --heat: 0, 90, 156; --warn: #a33; }
@media (prefers-color-scheme: dark) {
  :root { --fg: #e8e8e8; --bg: #161616; --soft: #adadad; --line: #444; --panel: #222; --heat: 86, 180, 233; --warn: #ff9d8a; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--fg); background: var(--bg); }
h1 { font-size: 1.5rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
p { margin: .5rem 0; max-width: 48rem; }
a { color: inherit; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; background: var(--bg); padding: .5rem; }
:focus-visible { outline: 3px solid #56b4e9; outline-offset: 2px; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; padding: 0; margin: .5rem 0; }
nav a { display: inline-block; padding: .25rem 0; }
.soft { color: var(--soft); }
.warn { border-left: 4px solid var(--warn); padding-left: .75rem; }
.scroll { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .2rem .75rem .2rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
th[scope=row] { font-weight: normal; }
thead th { white-space: normal; vertical-align: bottom; }
td:last-child:not(.n) { white-space: normal; min-width: 12rem; }
.n { text-align: right; }
.wrap { white-space: normal; }
figure { margin: 1rem 0; break-inside: avoid; }
figcaption { font-weight: 600; }
svg { display: block; width: 100%; }
.plot { display: grid; grid-template-columns: 4.5rem 1fr; gap: 0 .5rem; }
.plot > .y { display: flex; flex-direction: column; justify-content: space-between; text-align: right; font-size: .8rem; color: var(--soft); }
.plot > .x { grid-column: 2; display: flex; justify-content: space-between; font-size: .8rem; color: var(--soft); }
.plot svg { background: var(--panel); }
.heat rect { fill: rgb(var(--heat)); }
ul.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; padding: 0; margin: .25rem 0; font-size: .9rem; }
.swatch { display: inline-block; width: .8em; height: .8em; margin-right: .35em; }
.verdict { font-size: 1.15rem; font-weight: 600; }
svg.flame { overflow: hidden; background: var(--panel); }
.flame svg { width: auto; }
.flame text { font-size: 12px; fill: #1a1a1a; }
.flame a:hover rect, .flame a:focus rect { stroke: var(--fg); stroke-width: 3; }
.flame a:focus { outline: none; }
ol.frames { list-style: none; padding: 0; margin: .25rem 0; min-height: 3rem; }
ol.frames li { display: none; overflow-wrap: anywhere; scroll-margin-top: 60vh; }
ol.frames li:target { display: block; border-left: 4px solid #56b4e9; padding-left: .75rem; }
details { margin: .5rem 0; }
details.part { margin: 0; }
.part > summary h2 { display: inline-block; margin: .5rem 0; border: 0; }
section:has(> .part) { border-bottom: 1px solid var(--line); }
@media (min-width: 40.01rem) {
  .part::details-content { content-visibility: visible; height: auto; }
  .part > summary { list-style: none; cursor: auto; margin-top: 1.5rem; border-bottom: 1px solid var(--line); }
  section:has(> .part) { border: 0; }
}
summary { cursor: pointer; padding: .25rem 0; }
ol.fall { list-style: none; padding: 0; margin: .25rem 0; }
ol.fall li { display: grid; grid-template-columns: minmax(14rem, 24rem) 1fr; gap: .1rem .75rem; align-items: center; padding: .1rem 0; border-bottom: 1px solid var(--line); font-size: .9rem; }
ol.fall svg { background: var(--panel); height: .8rem; }
.d1 { padding-left: 1rem; } .d2 { padding-left: 2rem; } .d3 { padding-left: 3rem; }
@media (max-width: 40rem) {
  body { padding: .75rem; }
  .plot { grid-template-columns: 3.5rem 1fr; }
  ol.fall li { grid-template-columns: 1fr; }
  th, td { font-size: .9rem; }
  th[scope=row] { white-space: normal; min-width: 7.5rem; overflow-wrap: anywhere; }
}
@media print {
  :root { color-scheme: light; --fg: #000; --bg: #fff; --soft: #444; --line: #bbb; --panel: #f5f5f5; --heat: 0, 90, 156; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav, .skip { display: none; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; }
  thead th { font-size: 7pt; }
  th, td, td:last-child:not(.n) { white-space: normal; overflow-wrap: break-word; min-width: 0; padding-right: .4rem; }
  td:last-child:not(.n), th[scope=row] { overflow-wrap: anywhere; }
  .n { white-space: nowrap; }
  thead .n { white-space: normal; }
  details::details-content { content-visibility: visible; height: auto; }
  svg, .swatch { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  ol.fall li, tr { break-inside: avoid; }
}
`;
