// SPDX-License-Identifier: MIT
/** What every page begins and ends with: it needs nothing besides itself, and may load nothing. */
import { Html, html, type Part } from './html.js';
import { STYLE } from './style.js';

export interface Document {
  readonly title: string;
  /** What `Skip to …` leads to. */
  readonly main: string;
  readonly header: Part;
  readonly body: Part;
  readonly footer?: Part;
}

export function documentText({ title, main, header, body, footer = null }: Document): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to ${main}</a>
<header>
${header}
</header>
<main id="main" tabindex="-1">
${body}
</main>${footer}
</body>
</html>
`.text;
}
