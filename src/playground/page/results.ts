/** What the worker says, as elements. */

import type { ListInWords, Message, Searched, SearchedList } from "../messages.js";
import type { TextName } from "../state.js";
import { make } from "./dom.js";

/** Goes to a place in a text. */
export type Go = (text: TextName, line: number, column: number, length: number) => void;

const severityWords = { error: "Error", warning: "Warning", note: "Note" } as const;

function placeButton(text: TextName | undefined, line: number, column: number, length: number, go: Go): Node {
  const words = `${text === undefined || text === "rules" ? "" : `${text} `}line ${line}`;
  if (text === undefined) return document.createTextNode(words);
  const button = make("button", "place", words);
  button.type = "button";
  button.addEventListener("click", () => go(text, line, column, length));
  return button;
}

export function messageList(messages: readonly Message[], more: number, go: Go): Node {
  if (messages.length === 0) return make("p", "small", "No messages: every rule is carried over exactly.");
  return make(
    "div",
    "",
    make("ol", "findings", ...messages.map((message) => messageItem(message, go))),
    ...(more > 0 ? [make("p", "small", `${more} more messages are not shown.`)] : []),
  );
}

function messageItem({ code, severity, span, message, help, text, excerpt }: Message, go: Go): HTMLElement {
  return make(
    "li",
    `finding ${severity}`,
    make(
      "p",
      "finding-head",
      make("span", `severity ${severity}`, severityWords[severity]),
      placeButton(text, span.line, span.column, span.length, go),
      make("code", "code-name", code),
    ),
    make("p", "message", message),
    ...(excerpt ? [make("pre", "source", make("code", "", excerpt[0], make("span", "blamed", excerpt[1]), excerpt[2]))] : []),
    ...(help === undefined ? [] : [make("p", "help", make("strong", "", "Help: "), help)]),
  );
}

export function listsInWords(lists: readonly ListInWords[], go: Go): Node {
  if (lists.length === 0) return make("p", "small", "The rules have no list of -m recent.");
  return make(
    "ul",
    "cards",
    ...lists.map(({ sentence, form, places }) =>
      make(
        "li",
        "card",
        make("p", "message", sentence),
        make("p", "small", `nft: ${form}`),
        make("p", "places", ...places.flatMap(({ text, line }) => [placeButton(text, line, 1, 0, go), " "])),
      ),
    ),
  );
}

const verdictWords = { equal: "No difference", different: "Different", unknown: "Not all could be compared" } as const;

export function searchResult({ verdict, summary, lists }: Searched): Node {
  return make(
    "div",
    "",
    make("p", `verdict ${verdict}`, make("strong", "", lists.length === 0 ? summary : `${verdictWords[verdict]}: ${summary}`)),
    make("ul", "cards", ...lists.map(searchedCard)),
  );
}

function searchedCard({ title, verdict, effort, notes, timeline }: SearchedList): HTMLElement {
  const card = make(
    "li",
    `card ${verdict}`,
    make("p", "message", `${title}: `, make("span", `verdict ${verdict}`, verdictWords[verdict].toLowerCase())),
    make("p", "small", effort),
    ...notes.map((note) => make("p", "small", note)),
  );
  if (timeline !== undefined) {
    const picture = document.createElement("template");
    // Made by src/review/formats/html/element.ts, which escapes every text.
    picture.innerHTML = timeline;
    card.append(picture.content);
  }
  return card;
}
