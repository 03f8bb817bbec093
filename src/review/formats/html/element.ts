/**
 * The one place that writes HTML. Text becomes part of a page only through `element`, which escapes it; there is no way to
 * put in markup as text, an event handler, or a link that leaves the page.
 */

import { visibleLines } from "../../../report/visible.js";

type Tag =
  | "a"
  | "body"
  | "button"
  | "code"
  | "dd"
  | "del"
  | "details"
  | "div"
  | "dl"
  | "dt"
  | "footer"
  | "h1"
  | "h2"
  | "h3"
  | "head"
  | "header"
  | "html"
  | "input"
  | "ins"
  | "label"
  | "li"
  | "main"
  | "meta"
  | "nav"
  | "ol"
  | "option"
  | "p"
  | "pre"
  | "section"
  | "select"
  | "span"
  | "strong"
  | "summary"
  | "title"
  | "ul"
  | "circle"
  | "g"
  | "line"
  | "path"
  | "rect"
  | "svg"
  | "text";

type AttributeName =
  | "charset"
  | "class"
  | "content"
  | "for"
  | "hidden"
  | "href"
  | "http-equiv"
  | "id"
  | "lang"
  | "name"
  | "open"
  | "role"
  | "tabindex"
  | "type"
  | "value"
  | "autocomplete"
  | "spellcheck"
  | `aria-${string}`
  | `data-${string}`
  | "cx"
  | "cy"
  | "d"
  | "height"
  | "r"
  | "rx"
  | "text-anchor"
  | "viewBox"
  | "width"
  | "x"
  | "x1"
  | "x2"
  | "y"
  | "y1"
  | "y2";

/** False and undefined leave the attribute out; true writes it without a value. */
export type Attributes = { readonly [Name in AttributeName]?: string | number | boolean | undefined };

export type Child = Markup | string | number | false | undefined | readonly Child[];

/** A piece of a page; only this file makes any. */
export type { Markup };
class Markup {
  readonly #html: string;
  constructor(html: string) {
    this.#html = html;
  }
  toString(): string {
    return this.#html;
  }
}

const withoutContent: ReadonlySet<Tag> = new Set(["input", "meta"]);

/** An element with its children; strings among them are text. Throws a `RangeError` for a link that is not within the page. */
export function element(tag: Tag, attributes: Attributes, ...children: readonly Child[]): Markup {
  const open = `<${tag}${Object.entries(attributes)
    .map(([name, value]) => attribute(name, value))
    .join("")}>`;
  return new Markup(withoutContent.has(tag) ? open : `${open}${content(children)}</${tag}>`);
}

/** A script or style sheet of this program, as it is: its hash must be what the page's policy says. */
export function asset(tag: "script" | "style", text: string): Markup {
  if (/<[/!]/.test(text)) throw new RangeError(`a ${tag} that could end before its end`);
  return new Markup(`<${tag}>${text}</${tag}>`);
}

/** The whole document. */
export function documentText(html: Markup): string {
  return `<!doctype html>\n${html.toString()}\n`;
}

function attribute(name: string, value: Attributes[AttributeName]): string {
  if (value === undefined || value === false) return "";
  if (name === "href" && !/^#[\w-]+$/.test(String(value))) throw new RangeError(`a link out of the page: ${JSON.stringify(value)}`);
  return value === true ? ` ${name}` : ` ${name}="${escape(String(value))}"`;
}

function content(children: readonly Child[]): string {
  return children
    .map((child) => {
      if (child === undefined || child === false) return "";
      if (child instanceof Markup) return child.toString();
      return typeof child === "object" ? content(child) : escape(String(child));
    })
    .join("");
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Tabs as blanks; what has no visible form, such as a change of the writing direction, as `\u{202e}`. */
function escape(text: string): string {
  return visibleLines(text.replaceAll("\t", "    ")).replace(/[&<>"']/g, (character) => entities[character]!);
}
