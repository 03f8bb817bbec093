/** Draws review.png, the picture of a review in README.md: `npm run -s picture [FILE]`, after a change of the page. Wants Chromium. */

import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const page = new URL("../examples/reviews/loosened/review.html", import.meta.url);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium-headless-shell",
  // Its sandbox does not start as root; the page is our own, and asks nothing of any network.
  args: ["--no-sandbox"],
});
try {
  const tab = await browser.newPage({ viewport: { width: 920, height: 690 }, colorScheme: "light" });
  await tab.goto(page.href);
  await tab.screenshot({ path: process.argv[2] ?? fileURLToPath(new URL("review.png", import.meta.url)) });
} finally {
  await browser.close();
}
