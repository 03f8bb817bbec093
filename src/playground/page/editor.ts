/** A text area with line numbers, whose lines can be marked. However long the text is, only what is in view is drawn. */

import { make } from "./dom.js";

/** Pixels; the style sheet says the same. */
const lineHeight = 20;
const padding = 8;
/** Characters from which on a browser takes seconds to paste, line by line; put in as a whole, it cannot be undone step by step. */
const longPaste = 50_000;

export class Editor {
  private readonly numbers = make("pre", "numbers");
  private readonly bands = make("div", "bands");
  private marked: readonly number[] = [];
  /** Lines of the text. */
  private count = 1;

  /**
   * @param area inside an element of its own
   * @param pointed is told the line that the pointer is on, and undefined when it leaves
   * @param moved is told the line of the caret
   */
  constructor(
    readonly area: HTMLTextAreaElement,
    pointed: (line: number | undefined) => void,
    moved: (line: number) => void,
  ) {
    const holder = make("div", "behind", this.bands, this.numbers);
    holder.setAttribute("aria-hidden", "true");
    area.before(holder);
    area.addEventListener("scroll", () => this.draw());
    area.addEventListener("input", () => this.changed());
    area.addEventListener("paste", (event) => {
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (text.length < longPaste) return;
      event.preventDefault();
      area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new InputEvent("input"));
    });
    new ResizeObserver(() => this.draw()).observe(area);
    area.addEventListener("pointermove", (event) => {
      const y = event.clientY - area.getBoundingClientRect().top - padding + area.scrollTop;
      pointed(Math.floor(y / lineHeight) + 1);
    });
    area.addEventListener("pointerleave", () => pointed(undefined));
    const caret = (): void => {
      if (document.activeElement === area) moved(this.lineAt(area.selectionStart));
    };
    for (const name of ["keyup", "click", "focus"]) area.addEventListener(name, caret);
  }

  get text(): string {
    return this.area.value;
  }

  set text(text: string) {
    this.area.value = text;
    this.marked = [];
    this.changed();
  }

  mark(lines: readonly number[]): void {
    this.marked = lines;
    this.draw();
  }

  /** Puts the caret on a stretch of the text, and brings it into view. */
  select(line: number, column: number, length: number): void {
    const { area } = this;
    const text = area.value;
    let start = 0;
    for (let at = 1; at < line; at += 1) {
      const next = text.indexOf("\n", start);
      if (next < 0) break;
      start = next + 1;
    }
    area.focus();
    area.setSelectionRange(start + column - 1, start + column - 1 + length);
    this.reveal(line);
  }

  reveal(line: number): void {
    const { area } = this;
    const top = (line - 1) * lineHeight;
    if (top < area.scrollTop || top > area.scrollTop + area.clientHeight - 2 * lineHeight)
      area.scrollTop = Math.max(0, top - area.clientHeight / 3);
  }

  private lineAt(offset: number): number {
    const text = this.area.value;
    let line = 1;
    for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line += 1;
    return line;
  }

  private changed(): void {
    const text = this.area.value;
    this.count = 1;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.count += 1;
    this.draw();
  }

  private draw(): void {
    const { scrollTop, clientHeight } = this.area;
    const first = Math.floor(scrollTop / lineHeight) + 1;
    const last = Math.min(this.count, first + Math.ceil(clientHeight / lineHeight));
    const offset = padding + (first - 1) * lineHeight - scrollTop;
    this.numbers.textContent = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index).join("\n");
    this.numbers.style.top = `${offset}px`;
    this.bands.replaceChildren(
      ...this.marked
        .filter((line) => line >= first && line <= last)
        .map((line) => {
          const band = make("div", "band");
          band.style.top = `${offset + (line - first) * lineHeight}px`;
          return band;
        }),
    );
  }
}
