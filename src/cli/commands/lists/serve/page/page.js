// The lists, as the server tells them. What is shown is set as text, never as markup: names of lists and reasons are anybody's.

/**
 * @typedef {{ name: string, hosts: number, over: number, questions: { words: string }[] }} List
 * @typedef {{ hits: number, seconds: number | null, hitsNow: number }} Answer
 * @typedef {{ at: string, who: string, why: string }} Reason
 * @typedef {{ list: string, address: string, state: string, over: boolean, ages: number[], answers: Answer[], reason: Reason | null }} Host
 * @typedef {{ at: string, from: string, who: string, why: string, action: string, list: string, addresses: string[] }} Asked
 * @typedef {Asked & { outcome: string }} Change
 */

/** @template {HTMLElement} Kind @param {string} id @returns {Kind} */
const byId = (id) => /** @type {Kind} */ (document.getElementById(id));

/** @type {HTMLInputElement} */ const words = byId("words");
/** @type {HTMLInputElement} */ const overOnly = byId("over");
/** @type {HTMLInputElement} */ const who = byId("who");
/** @type {HTMLInputElement} */ const why = byId("why");
/** @type {HTMLInputElement} */ const addresses = byId("addresses");
/** @type {HTMLSelectElement} */ const target = byId("target");
/** @type {HTMLButtonElement} */ const release = byId("release");
/** @type {HTMLButtonElement} */ const clear = byId("clear");
/** @type {HTMLButtonElement} */ const previous = byId("previous");
/** @type {HTMLButtonElement} */ const next = byId("next");
/** @type {HTMLInputElement} */ const file = byId("file");
/** @type {HTMLDialogElement} */ const sure = byId("sure");

const pageSize = 50;
const mayChange = document.body.dataset["changes"] === "allowed";
const numbers = new Intl.NumberFormat("en");

let token = "";
/** @type {string | undefined} */
let list;
let page = 0;
/** Chosen hosts, as `list address`. @type {Set<string>} */
const chosen = new Set();
let asked = 0;

// ------------------------------------------------------------------------------------------------------- asking

/** @param {string} path @param {RequestInit} [options] @returns {Promise<Response>} */
async function ask(path, options = {}) {
  const headers = { ...options.headers, authorization: `Bearer ${token}` };
  const response = await fetch(path, { ...options, headers, credentials: "omit", cache: "no-store" });
  if (response.ok) return response;
  const { error = response.statusText } = /** @type {{ error?: string }} */ (await read(response).catch(() => ({})));
  if (response.status === 401) logOut(error);
  throw new Error(error);
}

/** @param {string} text @returns {unknown} */
const parsed = (text) => JSON.parse(text);

/** @param {Response} response @returns {Promise<unknown>} */
async function read(response) {
  return response.json();
}

/** @param {string} path @param {object} body @returns {Promise<{ messages: string[] }>} */
async function send(path, body) {
  const response = await ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return /** @type {{ messages: string[] }} */ (await read(response));
}

/** @param {unknown} error */
function trouble(error) {
  byId("trouble").textContent = error instanceof Error ? error.message : String(error);
}

/** @param {string} text */
function tell(text) {
  byId("told").textContent = text;
  byId("trouble").textContent = "";
}

// ------------------------------------------------------------------------------------------------------ showing

/** @param {string} name @param {string} text @param {string} [kind] */
function make(name, text, kind) {
  const element = document.createElement(name);
  element.textContent = text;
  if (kind !== undefined) element.className = kind;
  return element;
}

/** @type {List[]} */
let lists = [];

function showLists() {
  const all = { name: undefined, hosts: 0, over: 0 };
  for (const { hosts, over } of lists) {
    all.hosts += hosts;
    all.over += over;
  }
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["list"] : undefined;
  const items = [all, ...lists].map(({ name, hosts, over }) => {
    const button = make("button", "");
    button.setAttribute("type", "button");
    button.dataset["list"] = name ?? "";
    if (name === list) button.setAttribute("aria-current", "true");
    button.append(make("span", name ?? "All lists"), make("span", numbers.format(hosts), "number"));
    if (over > 0) button.lastElementChild?.append(make("span", ` (${numbers.format(over)} over)`, "over"));
    button.addEventListener("click", () => {
      list = name;
      page = 0;
      chosen.clear();
      showLists();
      void showHosts();
    });
    const item = document.createElement("li");
    item.append(button);
    return item;
  });
  byId("lists").replaceChildren(...items);
  if (focused !== undefined) items[[all, ...lists].findIndex(({ name }) => (name ?? "") === focused)]?.querySelector("button")?.focus();
  const picked = list ?? target.value;
  target.replaceChildren(...lists.map(({ name }) => new Option(name, name, false, name === picked)));
  byId("title").textContent = list === undefined ? "All lists" : list;
  const shown = lists.find(({ name }) => name === list);
  byId("questions").replaceChildren(...(shown?.questions ?? []).map((question) => make("li", question.words)));
  clear.disabled = list === undefined;
}

/** @param {number} milliseconds */
function time(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

/** @param {Host} host */
function hitsOf({ answers }) {
  return answers
    .filter(({ hits, seconds }) => hits > 1 || seconds === null)
    .map(({ hitsNow, seconds }) => (seconds === null ? `${hitsNow}` : `${hitsNow} in ${time(seconds * 1000)}`))
    .join(", ");
}

/** @param {Host} host */
function rowOf(host) {
  const row = document.createElement("tr");
  if (host.over) row.className = "over";
  const pick = make("td", "", "pick");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.setAttribute("aria-label", `Choose ${host.address} on ${host.list}`);
  const key = JSON.stringify([host.list, host.address]);
  box.checked = chosen.has(key);
  box.addEventListener("change", () => {
    if (box.checked) chosen.add(key);
    else chosen.delete(key);
    release.disabled = chosen.size === 0;
  });
  pick.append(box);
  const cells = [
    make("td", host.address, "address"),
    make("td", host.list),
    make("td", host.ages[0] === undefined ? "unknown" : `${time(host.ages[0])} ago`),
    make("td", hitsOf(host)),
    make("td", host.state, "state"),
  ];
  // Who has put it there, and why.
  if (host.reason)
    cells[4]?.append(make("span", ` (${[host.reason.who, host.reason.why].filter((text) => text !== "").join(": ")})`, "reason"));
  for (const [index, title] of ["", "List", "Seen", "Hits", "State"].entries())
    if (title !== "") /** @type {HTMLElement} */ (cells[index]).dataset["title"] = title;
  row.append(pick, ...cells);
  return row;
}

async function showHosts() {
  const mine = ++asked;
  const parameters = new URLSearchParams({
    words: words.value.trim(),
    page: String(page),
    size: String(pageSize),
    over: overOnly.checked ? "1" : "0",
  });
  if (list !== undefined) parameters.set("list", list);
  try {
    const response = await ask(`/api/hosts?${parameters}`);
    const found = /** @type {{ total: number, page: number, hosts: Host[] }} */ (await read(response));
    // Somebody has asked for something else meanwhile.
    if (mine !== asked) return;
    page = found.page;
    const pages = Math.max(1, Math.ceil(found.total / pageSize));
    const focused = document.activeElement?.getAttribute("aria-label");
    byId("hosts").replaceChildren(...found.hosts.map(rowOf));
    if (focused) {
      for (const box of document.querySelectorAll("#hosts input"))
        if (box instanceof HTMLElement && box.getAttribute("aria-label") === focused) box.focus();
    }
    byId("count").textContent = found.total === 1 ? "1 host" : `${numbers.format(found.total)} hosts`;
    byId("page").textContent = `Page ${numbers.format(page + 1)} of ${numbers.format(pages)}`;
    previous.disabled = page === 0;
    next.disabled = page + 1 >= pages;
    release.disabled = chosen.size === 0;
  } catch (error) {
    trouble(error);
  }
}

async function showHistory() {
  if (!mayChange) return;
  const { changes } = /** @type {{ changes: Change[] }} */ (await read(await ask("/api/history")));
  const lines = changes.map(({ at, from, who: name, why: reason, action, list: on, addresses: all, outcome }) => {
    const some = all.length > 5 ? `${all.slice(0, 5).join(" ")} and ${all.length - 5} more` : all.join(" ");
    const said = [name, reason].filter((text) => text !== "").join(": ");
    const failed = outcome === "failed" ? " FAILED" : "";
    const time = at.replace("T", " ").slice(0, 19);
    return make("li", `${time} ${action} ${some} on ${on}${failed}${said === "" ? "" : ` (${said})`} from ${from}`);
  });
  byId("history").replaceChildren(...lines);
}

// ----------------------------------------------------------------------------------------------------- changing

/** @param {string} question @returns {Promise<boolean>} */
function isSure(question) {
  byId("question").textContent = question;
  sure.returnValue = "";
  sure.showModal();
  return new Promise((resolve) => sure.addEventListener("close", () => resolve(sure.returnValue === "yes"), { once: true }));
}

/** @param {object} change @param {string} done */
async function change(change, done) {
  try {
    const { messages } = await send("/api/change", { ...change, who: who.value, why: why.value });
    tell([done, ...messages].join("; "));
    await refresh();
    await showHistory();
  } catch (error) {
    trouble(error);
  }
}

async function refresh() {
  const told = /** @type {{ lists: List[] }} */ (await read(await ask("/api/lists")));
  ({ lists } = told);
  showLists();
  await showHosts();
}

/** @type {Record<string, string>} */
const done = { ban: "Banned", add: "Recorded a hit of", remove: "Let go" };

byId("put").addEventListener("submit", (event) => {
  event.preventDefault();
  const action = /** @type {SubmitEvent} */ (event).submitter?.dataset["action"] ?? "ban";
  const all = addresses.value.split(/[\s,]+/).filter((word) => word !== "");
  void change({ action, list: target.value, addresses: all }, `${done[action]} ${all.join(" ")} on ${target.value}`);
});

release.addEventListener("click", () => {
  /** @type {Map<string, string[]>} */
  const byList = new Map();
  for (const key of chosen) {
    const [name, address] = /** @type {[string, string]} */ (parsed(key));
    byList.set(name, [...(byList.get(name) ?? []), address]);
  }
  chosen.clear();
  void (async () => {
    for (const [name, all] of byList) await change({ action: "remove", list: name, addresses: all }, `Let go ${all.join(" ")} of ${name}`);
  })();
});

clear.addEventListener("click", () => {
  const name = list;
  if (name === undefined) return;
  void isSure(`Take all hosts off the list ${name}?`).then((yes) => {
    if (yes) void change({ action: "clear", list: name }, `Cleared ${name}`);
  });
});
byId("yes").addEventListener("click", () => sure.close("yes"));
byId("no").addEventListener("click", () => sure.close("no"));

file.addEventListener("change", () => {
  void (async () => {
    const picked = [...(file.files ?? [])];
    if (picked.length === 0) return;
    try {
      const files = await Promise.all(picked.map(async (one) => ({ name: one.name, text: await one.text() })));
      if (!(await isSure(`Put the hosts of ${picked.map(({ name }) => name).join(", ")} on the lists?`))) return;
      const { messages } = await send("/api/import", { files, who: who.value, why: why.value });
      tell(["Imported", ...messages].join("; "));
      await refresh();
      await showHistory();
    } catch (error) {
      trouble(error);
    } finally {
      file.value = "";
    }
  })();
});

byId("export").addEventListener("click", () => {
  void (async () => {
    try {
      const address = URL.createObjectURL(await (await ask("/api/export")).blob());
      const link = document.createElement("a");
      link.href = address;
      link.download = "lists.json";
      link.click();
      URL.revokeObjectURL(address);
    } catch (error) {
      trouble(error);
    }
  })();
});

// ---------------------------------------------------------------------------------------------------- searching

/** @type {ReturnType<typeof setTimeout> | undefined} */
let typing;
words.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    page = 0;
    void showHosts();
  }, 200);
});
overOnly.addEventListener("change", () => {
  page = 0;
  void showHosts();
});
byId("search").addEventListener("submit", (event) => event.preventDefault());
previous.addEventListener("click", () => {
  page -= 1;
  void showHosts();
});
next.addEventListener("click", () => {
  page += 1;
  void showHosts();
});

// ------------------------------------------------------------------------------------------------------ watching

/** Server-sent events, read by hand: the browser's own reader cannot send the token. */
async function watch() {
  for (;;) {
    try {
      const response = await ask("/api/events");
      byId("connection").textContent = "Live";
      if (!response.body) throw new Error("no events");
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      let text = "";
      for (;;) {
        const { value, done: ended } = await reader.read();
        if (ended) break;
        const events = (text + decoder.decode(value, { stream: true })).split("\n\n");
        text = events.pop() ?? "";
        for (const event of events) take(event);
      }
    } catch {
      if (token === "") return;
    }
    byId("connection").textContent = "Connection lost, trying again";
    await new Promise((resolve) => setTimeout(resolve, 3000));
  }
}

/** @param {string} event */
function take(event) {
  const [, kind, data = ""] = /^event: (\w+)\ndata: (.*)$/s.exec(event) ?? [];
  if (kind === "trouble") return trouble(new Error(/** @type {{ error: string }} */ (parsed(data)).error));
  if (kind !== "lists") return;
  ({ lists } = /** @type {{ lists: List[] }} */ (parsed(data)));
  showLists();
  void showHosts();
}

// ------------------------------------------------------------------------------------------------------- token

/** @param {string} reason */
function logOut(reason) {
  token = "";
  sessionStorage.removeItem("token");
  byId("app").hidden = true;
  byId("login").hidden = false;
  byId("connection").textContent = `Not connected: ${reason}`;
}

async function logIn() {
  try {
    await refresh();
    sessionStorage.setItem("token", token);
    byId("login").hidden = true;
    byId("app").hidden = false;
    byId("changes").hidden = !mayChange;
    byId("history-part").hidden = !mayChange;
    await showHistory();
    void watch();
  } catch (error) {
    if (token !== "") logOut(error instanceof Error ? error.message : String(error));
  }
}

byId("login").addEventListener("submit", (event) => {
  event.preventDefault();
  /** @type {HTMLInputElement} */
  const field = byId("token");
  token = field.value.trim();
  field.value = "";
  void logIn();
});

const given = /^#token=([!-~]+)$/.exec(location.hash)?.[1];
// Not into the history, nor into a picture of the window.
if (given !== undefined) history.replaceState(null, "", location.pathname);
token = given ?? sessionStorage.getItem("token") ?? "";
if (token === "") logOut("the token is missing");
else void logIn();
