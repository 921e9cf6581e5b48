// SPDX-License-Identifier: MIT
/** HTML by template: whatever is put in is text and is escaped, unless it was made here. */

const SPECIAL: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** HTML that may stand as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Part = Html | string | number | readonly Part[] | null;

/** Control characters have no place in HTML, bidi marks turn what stands behind them, and any task may set its name (prctl). */
export function escapeText(text: string): string {
  return text.replace(/[^\P{Cc}\t\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd').replace(/[&<>"']/g, (c) => SPECIAL[c] ?? c);
}

function render(part: Part): string {
  if (part === null) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'string') return escapeText(part);
  if (typeof part === 'number') return escapeText(String(part));
  return part.map(render).join('');
}

/** `null` and empty lists leave nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.map((text, i) => text + (i < parts.length ? render(parts[i] ?? null) : '')).join(''));
}

export interface TableColumn<Row> {
  readonly title: string;
  /** Figures are set to the right. */
  readonly figure?: true;
  get(row: Row): Part;
}

/** A table with its caption; the first column heads each row. It scrolls by itself where the page is narrow. */
export function table<Row>(caption: string, rows: readonly Row[], columns: readonly TableColumn<NoInfer<Row>>[]): Html {
  const heads = columns.map(
    ({ title, figure }) => html`<th scope="col"${figure ? new Html(' class="n"') : null}>${title}</th>`,
  );
  const body = rows.map((row) => {
    const cells = columns.map(({ figure, get }, i) => {
      const align = figure ? new Html(' class="n"') : null;
      return i === 0 ? html`<th scope="row"${align}>${get(row)}</th>` : html`<td${align}>${get(row)}</td>`;
    });
    return html`<tr>${cells}</tr>`;
  });
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>${body}</tbody></table></div>`;
}

/** A section that folds where the page is narrow; elsewhere the style sheet shows it whole. */
export function foldedSection(id: string, title: string, ...content: readonly Part[]): Html {
  return html`<section aria-labelledby="${id}"><details class="part"><summary><h2 id="${id}">${title}</h2></summary>
${content}</details></section>
`;
}

/** A section of the page; nothing when it has no content. */
export function section(id: string, title: string, ...content: readonly Part[]): Html {
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
${content}</section>
`;
}
