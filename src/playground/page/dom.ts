/** Making and finding elements. Text becomes part of the page as text only. */

export function find<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} ${id}`);
  return found;
}

export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  element.append(...children);
  return element;
}

/** A row of tabs of which one is chosen, by pointer or by arrow keys; each tab's `aria-controls` names its panel. */
export class Tabs {
  private readonly tabs: readonly HTMLButtonElement[];

  /** @param chosen is told the panel's id whenever another tab is chosen */
  constructor(
    list: HTMLElement,
    private readonly chosen: (panel: string) => void,
  ) {
    this.tabs = [...list.querySelectorAll("button")];
    for (const tab of this.tabs) tab.addEventListener("click", () => this.choose(panelOf(tab)));
    list.addEventListener("keydown", (event) => {
      const visible = this.tabs.filter((tab) => !tab.hidden);
      const at = visible.findIndex((tab) => tab === document.activeElement);
      const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: visible.length - 1 }[event.key];
      const tab = next === undefined ? undefined : visible[(next + visible.length) % visible.length];
      if (!tab) return;
      event.preventDefault();
      tab.focus();
      this.choose(panelOf(tab));
    });
  }

  get current(): string {
    return panelOf(this.tabs.find((tab) => tab.getAttribute("aria-selected") === "true") ?? this.tabs[0]!);
  }

  choose(panel: string): void {
    for (const tab of this.tabs) {
      const isChosen = panelOf(tab) === panel;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      find(panelOf(tab), HTMLElement).hidden = !isChosen;
    }
    this.chosen(panel);
  }

  /** What a tab is called, such as with a count. */
  name(panel: string, text: string): void {
    const tab = this.tabs.find((one) => panelOf(one) === panel);
    if (tab) tab.textContent = text;
  }
}

function panelOf(tab: HTMLElement): string {
  return tab.getAttribute("aria-controls") ?? "";
}
