/** The script, line by line. However long it is, only what is in view is part of the page. */

import { make } from "./dom.js";

/** Pixels; the style sheet says the same. */
const lineHeight = 20;
/** Lines beyond what is in view. */
const margin = 20;

export class ScriptView {
  private readonly sizer = make("div", "sizer");
  private readonly lines = make("div", "lines");
  private script = "";
  private starts: Uint32Array = new Uint32Array([0]);
  private linked: ReadonlySet<number> = new Set();
  private current = 1;
  private isWaiting = false;

  /**
   * @param view a list box
   * @param pointed is told the line that the pointer is on, and undefined when it leaves
   * @param moved is told the line that was chosen by key or click, and whether its rule shall be gone to
   */
  constructor(
    private readonly view: HTMLElement,
    pointed: (line: number | undefined) => void,
    private readonly moved: (line: number, goes: boolean) => void,
  ) {
    view.append(this.sizer, this.lines);
    view.addEventListener("scroll", () => this.drawSoon());
    new ResizeObserver(() => this.drawSoon()).observe(view);
    const lineOf = (event: MouseEvent): number =>
      Math.min(this.count, Math.floor((event.clientY - view.getBoundingClientRect().top + view.scrollTop) / lineHeight) + 1);
    view.addEventListener("pointermove", (event) => pointed(lineOf(event)));
    view.addEventListener("pointerleave", () => pointed(undefined));
    view.addEventListener("click", (event) => this.choose(lineOf(event), false));
    view.addEventListener("dblclick", (event) => this.choose(lineOf(event), true));
    view.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const page = Math.max(1, Math.floor(view.clientHeight / lineHeight) - 1);
      const steps: Record<string, number> = {
        ArrowDown: 1,
        ArrowUp: -1,
        PageDown: page,
        PageUp: -page,
        Home: -this.count,
        End: this.count,
        Enter: 0,
      };
      const step = steps[event.key];
      if (step === undefined) return;
      event.preventDefault();
      this.choose(Math.max(1, Math.min(this.count, this.current + step)), event.key === "Enter");
    });
  }

  /** Lines of the script. */
  get count(): number {
    // Behind the last newline there is no line.
    return Math.max(1, this.starts.length - 1);
  }

  show(script: string, starts: Uint32Array): void {
    this.script = script;
    this.starts = starts;
    this.linked = new Set();
    this.current = Math.min(this.current, this.count);
    this.sizer.style.height = `${this.count * lineHeight}px`;
    this.draw();
  }

  /** @param reveals bring the first of them into view */
  link(lines: readonly number[], reveals: boolean): void {
    this.linked = new Set(lines);
    const first = lines.reduce((least, line) => Math.min(least, line), Infinity);
    if (reveals && first < Infinity) this.reveal(first);
    this.draw();
  }

  private choose(line: number, goes: boolean): void {
    this.current = line;
    this.reveal(line);
    this.draw();
    this.moved(line, goes);
  }

  private reveal(line: number): void {
    const top = (line - 1) * lineHeight;
    if (top < this.view.scrollTop || top > this.view.scrollTop + this.view.clientHeight - 2 * lineHeight)
      this.view.scrollTop = Math.max(0, top - this.view.clientHeight / 3);
  }

  private drawSoon(): void {
    if (this.isWaiting) return;
    this.isWaiting = true;
    requestAnimationFrame(() => {
      this.isWaiting = false;
      this.draw();
    });
  }

  private draw(): void {
    const { scrollTop, clientHeight } = this.view;
    const first = Math.max(1, Math.floor(scrollTop / lineHeight) + 1 - margin);
    const last = Math.min(this.count, Math.ceil((scrollTop + clientHeight) / lineHeight) + margin);
    this.lines.style.transform = `translateY(${(first - 1) * lineHeight}px)`;
    const shown: HTMLElement[] = [];
    for (let line = first; line <= last; line += 1) {
      const text = this.script.slice(this.starts[line - 1], (this.starts[line] ?? this.script.length + 1) - 1);
      const isComment = /^\s*#/.test(text);
      const element = make("div", isComment ? "script-line comment" : "script-line", text.replaceAll("\t", "    ") || " ");
      if (text.trim() === "") element.setAttribute("aria-label", "empty line");
      element.id = `script-${line}`;
      element.dataset["line"] = String(line);
      element.setAttribute("role", "option");
      element.setAttribute("aria-selected", String(this.linked.has(line)));
      element.setAttribute("aria-posinset", String(line));
      element.setAttribute("aria-setsize", String(this.count));
      if (this.linked.has(line)) element.classList.add("linked");
      if (line === this.current) element.classList.add("current");
      shown.push(element);
    }
    this.lines.replaceChildren(...shown);
    if (this.current >= first && this.current <= last) this.view.setAttribute("aria-activedescendant", `script-${this.current}`);
    else this.view.removeAttribute("aria-activedescendant");
  }
}
