/**
 * What the page does beyond showing itself: filter and search the rules, link a rule with all that speaks of it, and move
 * among the rules with the arrow keys. Nothing is stored or sent, and no markup is made.
 */

(() => {
  /** Words of a search that are marked at the most: each costs time whenever the page is drawn. */
  const mostHighlights = 2000;
  /** @type {HTMLElement[]} */
  const rows = [...document.querySelectorAll(".row")].filter((row) => row instanceof HTMLElement);
  setUpFilter();
  setUpLinking();
  setUpKeys();

  function setUpFilter() {
    const controls = document.getElementById("controls");
    const search = document.getElementById("search");
    const severity = document.getElementById("severity");
    const chain = document.getElementById("chain");
    const changed = document.getElementById("changed");
    const status = document.getElementById("shown");
    if (
      !(
        controls &&
        status &&
        search instanceof HTMLInputElement &&
        severity instanceof HTMLSelectElement &&
        chain instanceof HTMLSelectElement
      )
    )
      return;
    controls.hidden = false;

    /** @type {Map<HTMLElement, string>} */
    const texts = new Map();
    /** @param {HTMLElement} row */
    const textOf = (row) => {
      let text = texts.get(row);
      if (text === undefined) texts.set(row, (text = (row.textContent ?? "").toLowerCase()));
      return text;
    };
    const changedOnly = () => changed instanceof HTMLInputElement && changed.checked;

    const apply = () => {
      const words = search.value
        .toLowerCase()
        .split(/\s+/)
        .filter((word) => word !== "");
      const severities = severity.value.split(" ").filter((word) => word !== "");
      /** @param {HTMLElement} row */
      const fits = (row) =>
        (!changedOnly() || row.dataset.changed !== undefined) &&
        (severities.length === 0 || (row.dataset.severity ?? "").split(" ").some((one) => severities.includes(one))) &&
        words.every((word) => textOf(row).includes(word));
      let shown = 0;
      for (const section of document.querySelectorAll(".chain")) {
        if (!(section instanceof HTMLElement)) continue;
        const { table, chain: name } = section.dataset;
        const chosen = chain.value === "" || chain.value === `table ${table}` || chain.value === `chain ${name}`;
        let left = 0;
        for (const row of section.querySelectorAll(".row")) {
          if (!(row instanceof HTMLElement)) continue;
          row.hidden = !(chosen && fits(row));
          if (!row.hidden) left++;
        }
        section.hidden = left === 0;
        shown += left;
      }
      highlight(words);
      status.textContent = shown === rows.length ? `${shown} ${shown === 1 ? "rule" : "rules"}` : `${shown} of ${rows.length} rules`;
      keepOneInTabOrder();
    };

    /** Marks the words in the rules that are shown, where the browser can do so without changing the page. @param {string[]} words */
    const highlight = (words) => {
      if (!("highlights" in CSS)) return;
      CSS.highlights.delete("search");
      /** @type {Range[]} */
      const ranges = [];
      for (const row of words.length === 0 ? [] : rows) {
        if (row.hidden) continue;
        const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
          const length = node.nodeValue?.length ?? 0;
          // In lower case a few characters are longer.
          const text = (node.nodeValue ?? "").toLowerCase();
          for (const word of words) {
            for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
              const range = new Range();
              range.setStart(node, Math.min(at, length));
              range.setEnd(node, Math.min(at + word.length, length));
              ranges.push(range);
            }
          }
        }
        if (ranges.length >= mostHighlights) break;
      }
      if (ranges.length > 0) CSS.highlights.set("search", new Highlight(...ranges));
    };

    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let waiting;
    const applySoon = () => {
      clearTimeout(waiting);
      waiting = setTimeout(apply, 80);
    };
    const clear = () => {
      search.value = severity.value = chain.value = "";
      if (changed instanceof HTMLInputElement) changed.checked = false;
      apply();
    };
    search.addEventListener("input", applySoon);
    for (const control of [severity, chain, changed]) control?.addEventListener("change", apply);
    document.getElementById("reset")?.addEventListener("click", () => {
      clear();
      search.focus();
    });
    document.addEventListener("keydown", (event) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      search.focus();
    });
    // A browser may bring back what was chosen before a reload.
    if (search.value !== "" || severity.value !== "" || chain.value !== "" || changedOnly()) apply();

    /** Brings what a link names into view, filtered away or folded as it may be. @param {string} hash */
    const reveal = (hash) => {
      const target = document.getElementById(hash.slice(1));
      if (!target) return;
      if (target.hidden) clear();
      for (let at = target.parentElement; at; at = at.parentElement) if (at instanceof HTMLDetailsElement) at.open = true;
      if (target.matches(".row, .finding")) target.scrollIntoView({ block: "center" });
    };
    addEventListener("hashchange", () => reveal(location.hash));
    // The same link once more changes nothing in the address.
    document.addEventListener("click", (event) => {
      const link = event.target instanceof Element ? event.target.closest("a[href^='#']") : null;
      if (link instanceof HTMLAnchorElement) reveal(link.hash);
    });
  }

  /** Hovering or focusing a rule, or anything that speaks of it, marks both. */
  function setUpLinking() {
    /** @type {Map<string, Element[]>} */
    const mentions = new Map();
    for (const link of document.querySelectorAll("[data-row]")) {
      const id = link.getAttribute("data-row") ?? "";
      const holder = link.closest("li") ?? link;
      mentions.set(id, [...(mentions.get(id) ?? []), holder]);
    }
    /**
     * Lines of the script by their number: several rules show the same one, such as one rule that records a hit and one that
     * counts it.
     * @type {Map<string, Element[]>}
     */
    const byNumber = new Map();
    for (const line of document.querySelectorAll("[data-line]")) {
      const number = line.getAttribute("data-line") ?? "";
      const known = byNumber.get(number);
      if (known) known.push(line);
      else byNumber.set(number, [line]);
    }
    /** @type {Element[]} */
    let marked = [];
    /** @param {EventTarget | null} target */
    const mark = (target) => {
      for (const one of marked) one.classList.remove("linked");
      marked = target instanceof Element ? related(target) : [];
      for (const one of marked) one.classList.add("linked");
    };
    /**
     * @param {Element} target
     * @returns {Element[]}
     */
    const related = (target) => {
      const row = target.closest(".row");
      if (row) {
        const shared = [...row.querySelectorAll("[data-line]")]
          .map((line) => byNumber.get(line.getAttribute("data-line") ?? "") ?? [])
          .flatMap((lines) => (lines.length > 1 ? lines : []));
        return [row, ...shared, ...shared.flatMap((line) => line.closest(".row") ?? []), ...(mentions.get(row.id) ?? [])];
      }
      const links = [...(target.closest("li")?.querySelectorAll("[data-row]") ?? [])];
      return links.flatMap((link) => document.getElementById(link.getAttribute("data-row") ?? "") ?? []);
    };
    // Also where the page moves below a pointer that rests, there is a `pointerover`: scrolling with the keyboard must not mark.
    let [x, y] = [-1, -1];
    document.addEventListener("pointerover", (event) => {
      const moved = event.clientX !== x || event.clientY !== y;
      [x, y] = [event.clientX, event.clientY];
      if (moved) mark(event.target);
    });
    document.addEventListener("focusin", (event) => mark(event.target));
  }

  /** The rules are one stop of the tab key; arrows, Home and End move among them. */
  function setUpKeys() {
    keepOneInTabOrder();
    document.addEventListener("keydown", (event) => {
      const current =
        event.target instanceof Element && event.target.matches(".row .row-head .place") ? event.target.closest(".row") : null;
      if (!(current instanceof HTMLElement)) return;
      const visible = rows.filter((row) => !row.hidden);
      const at = visible.indexOf(current);
      const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: visible.length - 1 }[event.key];
      const place = next === undefined ? undefined : placeOf(visible[next]);
      if (!place) return;
      event.preventDefault();
      for (const row of rows) placeOf(row)?.setAttribute("tabindex", "-1");
      place.setAttribute("tabindex", "0");
      place.focus();
    });
  }

  function keepOneInTabOrder() {
    const first = rows.find((row) => !row.hidden);
    for (const row of rows) placeOf(row)?.setAttribute("tabindex", row === first ? "0" : "-1");
  }

  /**
   * @param {HTMLElement | undefined} row
   * @returns {HTMLElement | undefined}
   */
  function placeOf(row) {
    const place = row?.querySelector(".row-head .place");
    return place instanceof HTMLElement ? place : undefined;
  }
})();
