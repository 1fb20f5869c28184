// A person who uses the page of examples/spa in a browser. Prints what they saw as one line of JSON.
//
// Arguments: the page's URL, the URL of the mailbox, an e-mail address, a name, a folder for the browser, and the file for a
// picture of the profile.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";

const [page, mailbox, email, name, folder, picture] = process.argv.slice(2);
const LIMIT = 20_000;

// --- The browser, through the Chrome DevTools Protocol over a pipe ---

const browser = spawn("chromium", [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--remote-debugging-pipe", `--user-data-dir=${folder}`, "about:blank",
], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
process.on("exit", () => browser.kill());

const [commands, events] = [browser.stdio[3], browser.stdio[4]];
const waiting = new Map();
const listeners = [];
let numbers = 0;
let received = "";
events.setEncoding("utf8").on("data", (text) => {
  received += text;
  for (let end; (end = received.indexOf("\0")) >= 0; received = received.slice(end + 1)) {
    const message = JSON.parse(received.slice(0, end));
    const { id, error, result, method, params, sessionId } = message;
    if (id === undefined) {
      listeners.forEach((listener) => listener(method, params, sessionId));
    } else if (error) {
      waiting.get(id).reject(new Error(JSON.stringify(error)));
    } else {
      waiting.get(id).resolve(result);
    }
  }
});

function command(method, params = {}, sessionId) {
  const id = ++numbers;
  commands.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

class Tab {
  static async open(url) {
    const tab = new Tab();
    const { targetId } = await command("Target.createTarget", { url: "about:blank" });
    ({ sessionId: tab.session } = await command("Target.attachToTarget", { targetId, flatten: true }));
    tab.complaints = [];
    tab.requests = [];
    listeners.push((method, params, session) => session === tab.session && tab.note(method, params));
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await tab.send(`${domain}.enable`);
    await tab.send("Emulation.setDeviceMetricsOverride", { width: 560, height: 820, deviceScaleFactor: 1, mobile: false });
    await tab.send("Page.navigate", { url });
    return tab;
  }

  note(method, params) {
    if (method === "Network.requestWillBeSent") this.requests.push({ id: params.requestId, ...params.request });
    if (method === "Fetch.requestPaused") this.lose(params.requestId);
    if (method === "Runtime.exceptionThrown") this.complaints.push(params.exceptionDetails.text);
    // What the browser itself reports, such as a violation of the policy. Refused requests are expected.
    if (method === "Log.entryAdded" && params.entry.source !== "network") this.complaints.push(params.entry.text);
  }

  /** From now on, loses the answer to the next request for this path: the server has sent it, and the page gets none. */
  loseAnswer(path) {
    return this.send("Fetch.enable", { patterns: [{ urlPattern: `*${path}`, requestStage: "Response" }] });
  }

  async lose(requestId) {
    await this.send("Fetch.failRequest", { requestId, errorReason: "ConnectionReset" });
    await this.send("Fetch.disable");
  }

  send(method, params) {
    return command(method, params, this.session);
  }

  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return result.value;
  }

  async until(expression) {
    const end = Date.now() + LIMIT;
    while (!(await this.evaluate(expression))) {
      if (Date.now() > end) throw new Error(`did not become true: ${expression}\n${await this.evaluate("document.body.innerText")}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  sees(selector) {
    return this.until(`!!document.querySelector(${JSON.stringify(selector)})?.checkVisibility()`);
  }

  reads(text) {
    return this.until(`document.querySelector("#message").textContent === ${JSON.stringify(text)}`);
  }

  /** Types into a field, as a person does. */
  async type(selector, text) {
    await this.sees(selector);
    await this.evaluate(`document.querySelector(${JSON.stringify(selector)}).select()`);
    await this.send("Input.insertText", { text });
  }

  async enter() {
    for (const type of ["keyDown", "keyUp"]) {
      await this.send("Input.dispatchKeyEvent", { type, key: "Enter", code: "Enter", text: "\r", windowsVirtualKeyCode: 13 });
    }
  }

  click(selector) {
    return this.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
  }

  /** The answers to the requests that the page sent to a path, parsed; undefined for one that was lost. */
  answers(url) {
    const sent = this.requests.filter((request) => request.method === "POST" && request.url.endsWith(url));
    const answer = async ({ id }) => JSON.parse((await this.send("Network.getResponseBody", { requestId: id })).body);
    return Promise.all(sent.map((request) => answer(request).catch(() => undefined)));
  }
}

// --- The person ---

async function code() {
  const mails = await (await fetch(mailbox, { headers: { Accept: "application/json" } })).json();
  return mails.find((mail) => mail.to === email).text.match(/\b\d{6}\b/)[0];
}

const fields = 'Object.fromEntries([...document.querySelectorAll("#profile input")].map(({ name, value }) => [name, value]))';

const tab = await Tab.open(page);
await tab.type("#ask input", email);
await tab.enter();
await tab.sees("#enter input");
const right = await code();
await tab.type("#enter input", right === "000000" ? "111111" : "000000");
await tab.enter();
await tab.reads("The code is wrong, or too old.");
await tab.type("#enter input", right);
await tab.enter();
await tab.sees("#profile input");
const who = await tab.evaluate('document.querySelector("#who").textContent');

await tab.type("[name=name]", name);
await tab.type("[name=zoneinfo]", "Nowhere/Land");
await tab.click("#profile [type=submit]");
await tab.reads("One of the values is not valid.");
await tab.type("[name=zoneinfo]", "Asia/Tokyo");
await tab.loseAnswer("/oauth2/token");
await tab.click("#profile [type=submit]");
await tab.reads("Saved.");
const saved = await tab.evaluate(fields);
const { data } = await tab.send("Page.captureScreenshot");
writeFileSync(picture, Buffer.from(data, "base64"));

const other = await Tab.open(page);
await other.sees("#ask input");
const stored = await tab.evaluate(
  "(async () => [localStorage.length, sessionStorage.length, document.cookie, (await indexedDB.databases()).length, location.href])()",
);
const elements = await tab.evaluate('document.querySelectorAll("img, b").length');
const tokens = await tab.answers("/oauth2/token");

await tab.click("#sign-out");
await tab.sees("#ask input");
await tab.until(`performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/oauth2/revoke"))`);
const left = await tab.evaluate(fields);
console.log(JSON.stringify({
  who, saved, stored, elements, left,
  grants: tab.requests.filter(({ url }) => url.endsWith("/oauth2/token")).map(({ postData }) => new URLSearchParams(postData).get("grant_type")),
  last: tokens.at(-1),
  complaints: [...tab.complaints, ...other.complaints],
}));
process.exit(0);
