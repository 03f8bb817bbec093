/** The playground: connects the texts, the options, the worker and what is shown. */

import { examples } from "../examples.js";
import type { Answer, Request } from "../messages.js";
import { emptyState, textNames, views, type PlaygroundState, type TextName } from "../state.js";
import { find, make, Tabs } from "./dom.js";
import { Editor } from "./editor.js";
import { Links } from "./links.js";
import { readOptions, showOptions } from "./options-form.js";
import { listsInWords, messageList, searchResult } from "./results.js";
import { ScriptView } from "./script-view.js";
import { WorkerLine } from "./worker-line.js";

/** Milliseconds of quiet before what was typed is translated; longer texts are waited for a little longer. */
const quiet = { short: 200, long: 500 };
const longText = 200_000;
/** Characters of a file that is opened or dropped. */
const largestFile = 16_000_000;

const workerAddress = URL.createObjectURL(new Blob([find("worker", HTMLScriptElement).textContent ?? ""], { type: "text/javascript" }));
const translator = new WorkerLine(workerAddress);
const searcher = new WorkerLine(workerAddress);
const reviewer = new WorkerLine(workerAddress);
const packer = new WorkerLine(workerAddress);

const status = find("status", HTMLElement);
const results = find("results", HTMLElement);
let links = new Links();
let script: string | undefined;
/** Whether the review shown is of what is in the page now. */
let isReviewed = false;
let reviewHtml = "";

// ------------------------------------------------------------------------------------------------------------ texts

const editors = Object.fromEntries(
  textNames.map((name) => [
    name,
    new Editor(
      find(`text-${name}`, HTMLTextAreaElement),
      (line) => showLinks(line === undefined ? undefined : { text: name, line }, false),
      (line) => showLinks({ text: name, line }, true),
    ),
  ]),
) as Record<TextName, Editor>;

const textTabs = new Tabs(find("text-tabs", HTMLElement), () => undefined);

function currentText(): TextName {
  return textNames.find((name) => textTabs.current === `panel-${name}`) ?? "rules";
}

function state(): PlaygroundState {
  return {
    texts: Object.fromEntries(textNames.map((name) => [name, editors[name].text])) as PlaygroundState["texts"],
    options: readOptions(),
    view: views.find((view) => resultTabs.current === `panel-${view}`) ?? emptyState.view,
  };
}

function show({ texts, options, view }: PlaygroundState): void {
  for (const name of textNames) editors[name].text = texts[name];
  showOptions(options);
  nameTextTabs();
  textTabs.choose("panel-rules");
  changed(0);
  resultTabs.choose(`panel-${view}`);
}

const textTitles: Readonly<Record<TextName, string>> = {
  rules: "Rules",
  second: "Other family",
  sets: "ipset",
  countries: "Countries",
  before: "Rules before",
};

function nameTextTabs(): void {
  for (const name of textNames) {
    const isFilled = editors[name].text.trim() !== "";
    textTabs.name(`panel-${name}`, name !== "rules" && isFilled ? `${textTitles[name]} •` : textTitles[name]);
  }
}

function go(text: TextName, line: number, column: number, length: number): void {
  textTabs.choose(`panel-${text}`);
  editors[text].select(line, column, length);
  showLinks({ text, line }, true);
}

// ------------------------------------------------------------------------------------------------------ translation

let waiting: ReturnType<typeof setTimeout> | undefined;

/** @param wait milliseconds; as long as the text is long unless told */
function changed(wait?: number): void {
  clearTimeout(waiting);
  // What is on its way is about what the texts were.
  translator.giveUp();
  searcher.giveUp();
  reviewer.giveUp();
  searchEnded();
  isReviewed = false;
  const length = textNames.reduce((sum, name) => sum + editors[name].area.textLength, 0);
  results.setAttribute("aria-busy", "true");
  waiting = setTimeout(translateNow, wait ?? (length > longText ? quiet.long : quiet.short));
}

function translateNow(): void {
  if (resultTabs.current === "panel-review") review();
  const begin = performance.now();
  translator.ask({ kind: "translate", state: state() }, (answer) => {
    if (answer.kind === "translated") showTranslation(answer, performance.now() - begin);
    if (answer.kind === "linked") {
      links = new Links(answer.links);
      find("lists", HTMLElement).replaceChildren(listsInWords(answer.lists, go));
      resultTabs.name("panel-lists", answer.lists.length === 0 ? "Lists in words" : `Lists in words (${answer.lists.length})`);
      results.setAttribute("aria-busy", "false");
    }
    if (answer.kind === "failed") {
      showNoScript(answer.reason);
      results.setAttribute("aria-busy", "false");
    }
  });
}

function showTranslation(answer: Extract<Answer, { kind: "translated" }>, milliseconds: number): void {
  const { outcome, summary, messages, moreMessages, lineStarts } = answer;
  links = new Links();
  status.textContent = `${summary} (${(milliseconds / 1000).toFixed(milliseconds < 100 ? 2 : 1)} s)`;
  status.className = `status ${outcome}`;
  find("messages", HTMLElement).replaceChildren(messageList(messages, moreMessages, go));
  const count = messages.length + moreMessages;
  resultTabs.name("panel-messages", count === 0 ? "Messages" : `Messages (${count})`);
  if (answer.script === undefined) {
    showNoScript(undefined);
    if (currentInputIsEmpty()) status.textContent = "Paste what iptables-save prints, drop a file, or choose an example.";
    else if (resultTabs.current === "panel-script") resultTabs.choose("panel-messages");
    return;
  }
  ({ script } = answer);
  find("no-script", HTMLElement).hidden = true;
  find("script", HTMLElement).hidden = false;
  scriptView.show(answer.script, lineStarts);
  setEnabled(true);
}

function currentInputIsEmpty(): boolean {
  return editors.rules.text.trim() === "" && editors.second.text.trim() === "";
}

function showNoScript(reason: string | undefined): void {
  script = undefined;
  scriptView.show("", new Uint32Array([0]));
  find("script", HTMLElement).hidden = true;
  const note = find("no-script", HTMLElement);
  note.hidden = false;
  note.textContent = reason ?? "There is no script: the messages say why.";
  if (reason !== undefined) {
    status.textContent = reason;
    status.className = "status invalid";
  }
  setEnabled(false);
}

function setEnabled(isEnabled: boolean): void {
  for (const id of ["copy-script", "save-script"]) find(id, HTMLButtonElement).disabled = !isEnabled;
}

// ------------------------------------------------------------------------------------------------------------- links

const scriptView = new ScriptView(
  find("script", HTMLElement),
  (line) => showRules(line, false),
  (line, goes) => {
    const [first] = showRules(line, true);
    if (first && goes) go(first.text, first.line, 1, 0);
  },
);

/** Marks the lines of the script that a rule became. */
function showLinks(place: { readonly text: TextName; readonly line: number } | undefined, reveals: boolean): void {
  const lines = place ? links.scriptLines(place.text, place.line) : [];
  scriptView.link(lines, reveals && !results.contains(document.activeElement));
  for (const name of textNames) editors[name].mark(place && lines.length > 0 && name === place.text ? [place.line] : []);
}

/** Marks the rules that a line of the script comes from. */
function showRules(line: number | undefined, reveals: boolean): ReturnType<Links["rules"]> {
  const rules = line === undefined ? [] : links.rules(line);
  scriptView.link(line !== undefined && rules.length > 0 ? [line] : [], false);
  for (const name of textNames) editors[name].mark(rules.filter(({ text }) => text === name).map((rule) => rule.line));
  const [first] = rules;
  if (first && reveals && first.text === currentText()) editors[first.text].reveal(first.line);
  return rules;
}

// ------------------------------------------------------------------------------------------------- search and review

let ticking: ReturnType<typeof setInterval> | undefined;

function search(): void {
  const seconds = Number(find("search-seconds", HTMLSelectElement).value);
  const progress = find("search-progress", HTMLElement);
  const begin = performance.now();
  find("search-start", HTMLButtonElement).hidden = true;
  find("search-stop", HTMLButtonElement).hidden = false;
  find("search-stop", HTMLButtonElement).focus();
  find("searched", HTMLElement).replaceChildren();
  const tick = (): void => {
    progress.textContent = `Searching: ${Math.round((performance.now() - begin) / 1000)} of at most ${seconds} s`;
  };
  tick();
  ticking = setInterval(tick, 1000);
  searcher.ask({ kind: "search", state: state(), milliseconds: seconds * 1000 }, (answer) => {
    searchEnded();
    if (answer.kind === "searched") find("searched", HTMLElement).replaceChildren(searchResult(answer));
    if (answer.kind === "failed") progress.textContent = answer.reason;
  });
}

function searchEnded(): void {
  clearInterval(ticking);
  const stop = find("search-stop", HTMLButtonElement);
  const hadFocus = document.activeElement === stop;
  find("search-progress", HTMLElement).textContent = "";
  stop.hidden = true;
  find("search-start", HTMLButtonElement).hidden = false;
  if (hadFocus) find("search-start", HTMLButtonElement).focus();
}

function review(): void {
  if (isReviewed) return;
  isReviewed = true;
  const note = find("review-status", HTMLElement);
  const frame = find("review", HTMLIFrameElement);
  note.textContent = "Reviewing …";
  find("save-review", HTMLButtonElement).disabled = true;
  reviewer.ask({ kind: "review", state: state() }, (answer) => {
    if (answer.kind === "failed") note.textContent = answer.reason;
    if (answer.kind !== "reviewed") return;
    note.textContent = answer.headline;
    frame.srcdoc = reviewHtml = answer.html;
    frame.hidden = false;
    find("save-review", HTMLButtonElement).disabled = false;
  });
}

const resultTabs = new Tabs(find("result-tabs", HTMLElement), (panel) => {
  if (panel === "panel-review") review();
});

// ------------------------------------------------------------------------------------------------------------- files

function save(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = make("a", "");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

async function openFile(file: File | undefined): Promise<void> {
  if (!file) return;
  if (file.size > largestFile) {
    status.textContent = `${file.name} has ${Math.round(file.size / 1e6)} MB, more than this page takes: use the command.`;
    status.className = "status invalid";
    return;
  }
  editors[currentText()].text = await file.text();
  nameTextTabs();
  changed(0);
}

/** Says for a moment what was done. */
function told(button: HTMLButtonElement, words: string): void {
  const before = button.dataset["name"] ?? button.textContent ?? "";
  button.dataset["name"] = before;
  button.textContent = words;
  setTimeout(() => (button.textContent = before), 2_000);
}

async function copy(button: HTMLButtonElement, text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    told(button, "Copied");
  } catch {
    told(button, "Not allowed here");
  }
}

/** Asks the packer, and waits. */
function packed(request: Extract<Request, { kind: "pack" | "unpack" }>): Promise<Answer> {
  return new Promise((take) => packer.ask(request, take));
}

async function openLink(): Promise<boolean> {
  if (location.hash.length < 2) return false;
  const answer = await packed({ kind: "unpack", fragment: location.hash });
  if (answer.kind === "unpacked") {
    show(answer.state);
    return true;
  }
  if (answer.kind === "failed") showNoScript(answer.reason);
  return false;
}

async function makeLink(button: HTMLButtonElement): Promise<void> {
  const answer = await packed({ kind: "pack", state: state() });
  if (answer.kind !== "packed") return;
  history.replaceState(null, "", answer.fragment);
  await copy(button, location.href);
}

// ------------------------------------------------------------------------------------------------------------ set-up

for (const name of textNames) {
  const { area } = editors[name];
  area.addEventListener("input", () => {
    nameTextTabs();
    changed();
  });
}
for (const input of find("options", HTMLElement).querySelectorAll("input, select")) input.addEventListener("input", () => changed());

const left = find("input", HTMLElement);
left.addEventListener("dragover", (event) => {
  event.preventDefault();
  left.classList.add("dropping");
});
left.addEventListener("dragleave", () => left.classList.remove("dropping"));
left.addEventListener("drop", (event) => {
  left.classList.remove("dropping");
  const file = event.dataTransfer?.files[0];
  if (!file) return;
  event.preventDefault();
  void openFile(file);
});

const chooser = find("file", HTMLInputElement);
find("open", HTMLButtonElement).addEventListener("click", () => chooser.click());
chooser.addEventListener("change", () => {
  void openFile(chooser.files?.[0]);
  chooser.value = "";
});

const example = find("example", HTMLSelectElement);
example.append(...examples.map(({ title }, index) => new Option(title, String(index))));
example.addEventListener("change", () => {
  const chosen = examples[Number(example.value)];
  if (example.value === "" || !chosen) return;
  show(chosen.state);
  example.value = "";
});

const button = (id: string, act: (self: HTMLButtonElement) => void): void => {
  const self = find(id, HTMLButtonElement);
  self.addEventListener("click", () => act(self));
};
button("clear", () => show(emptyState));
button("copy-link", (self) => void makeLink(self));
button("copy-script", (self) => void copy(self, script ?? ""));
button("save-script", () => save("rules.nft", script ?? ""));
button("save-review", () => save("review.html", reviewHtml));
button("search-start", search);
button("search-stop", () => {
  searcher.giveUp();
  searchEnded();
  find("search-progress", HTMLElement).textContent = "Stopped.";
});
addEventListener("hashchange", () => void openLink());

void openLink().then((isShown) => {
  if (!isShown && location.hash.length < 2) show(examples[0]!.state);
});
