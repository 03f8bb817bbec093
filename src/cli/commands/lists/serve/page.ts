/** The page: one document that asks nothing of any other server. */

import markup from "./page/page.html?raw";
import script from "./page/page.js?raw";
import baseStyle from "../../../../page-style/base.css?raw";
import pageStyle from "./page/page.css?raw";

const style = baseStyle + pageStyle;

/** The policy that lets run the one script of the page, and ask this server alone. */
export function policyOf(sha256: (text: string) => string): string {
  return [
    "default-src 'none'",
    `script-src 'sha256-${sha256(script)}'`,
    `style-src 'sha256-${sha256(style)}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

export function pageText(allowsChanges: boolean): string {
  // A function each: what stands behind a dollar sign in a replacement is not what it says.
  return markup
    .replace("<!--style-->", () => `<style>${style}</style>`)
    .replace("<!--script-->", () => `<script>${script}</script>`)
    .replace('data-changes=""', () => `data-changes="${allowsChanges ? "allowed" : "none"}"`);
}
