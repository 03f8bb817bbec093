/** The formats of a review by name. */

import { createHash } from "node:crypto";
import type { FailOn } from "../../../review/fail-on.js";
import { renderGithub } from "../../../review/formats/github.js";
import { renderGitlab } from "../../../review/formats/gitlab.js";
import { renderHtml } from "../../../review/formats/html.js";
import { renderJson } from "../../../review/formats/json.js";
import { renderJunit } from "../../../review/formats/junit.js";
import { renderMarkdown } from "../../../review/formats/markdown.js";
import { renderSarif } from "../../../review/formats/sarif.js";
import { renderText } from "../../../review/formats/text.js";
import type { ReviewReport } from "../../../review/report.js";

export interface FormatOptions {
  readonly color: boolean;
  /** Terminal columns, where there is a terminal. */
  readonly width: number | undefined;
  readonly failOn: FailOn;
}

const formats = {
  text: (report, { color, width }) => renderText(report, width === undefined ? { color } : { color, width }),
  markdown: (report) => renderMarkdown(report),
  github: (report) => renderGithub(report),
  sarif: (report) => renderSarif(report),
  gitlab: (report) => renderGitlab(report),
  junit: (report, { failOn }) => renderJunit(report, { failOn }),
  json: (report) => renderJson(report),
  html: (report) => renderHtml(report, { sha256: (text) => createHash("sha256").update(text, "utf8").digest("base64") }),
} satisfies Record<string, (report: ReviewReport, options: FormatOptions) => string>;

export type FormatName = keyof typeof formats;

export const formatNames = Object.keys(formats) as readonly FormatName[];

/** Renders the whole report, with a newline at its end. */
export function renderReview(report: ReviewReport, format: FormatName, options: FormatOptions): string {
  return formats[format](report, options);
}
