/** The thread that does the work, so that the page never waits for it. */

import type { Answer, Numbered, Request } from "../messages.js";
import { answer, type Bench } from "../work.js";
import reviewScript from "../../review/formats/html/page/page.js?raw";

declare const PACKAGE_VERSION: string;
/** SHA-256 in base64 of the script and the style sheet of a review, which the policy of this page lets run, too. */
declare const REVIEW_HASHES: { readonly script: string; readonly style: string };

const bench: Bench = {
  now: () => performance.now(),
  version: PACKAGE_VERSION,
  // A worker that comes from a file has no cryptography.
  sha256: (text) => (text === reviewScript ? REVIEW_HASHES.script : REVIEW_HASHES.style),
};

addEventListener("message", ({ data }: MessageEvent<Numbered<Request>>) => {
  for (const message of answer(data.message, bench)) {
    const numbered: Numbered<Answer> = { number: data.number, message };
    postMessage(numbered);
  }
});
