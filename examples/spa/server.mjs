// The page's back end: it serves the page, and requests codes, which needs a secret. The page does everything else itself.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";

const { PAGE_ORIGIN, PAGE_ID, SERVER_URL, BACK_END_ID, BACK_END_SECRET } = process.env;
if (!(PAGE_ORIGIN && PAGE_ID && SERVER_URL && BACK_END_ID && BACK_END_SECRET)) {
  throw new Error("set PAGE_ORIGIN, PAGE_ID, SERVER_URL, BACK_END_ID and BACK_END_SECRET, as in README.md");
}
const credentials = btoa([BACK_END_ID, BACK_END_SECRET].map(encodeURIComponent).join(":"));

const file = (name, type) => ({ status: 200, type, body: readFileSync(new URL(name, import.meta.url)) });
const settings = JSON.stringify({ server: SERVER_URL, clientId: PAGE_ID });
const pages = {
  "GET /": file("index.html", "text/html; charset=utf-8"),
  "GET /app.js": file("app.js", "text/javascript; charset=utf-8"),
  "GET /settings.json": { status: 200, type: "application/json", body: settings },
};

// Asks for a code to sign in to the page, and for nothing else, whatever the request contains. The answer goes back as it is.
async function sendCode(request) {
  const { email, code_challenge } = Object(await json(request).catch(() => null));
  const wanted = { usage: "login", email: `${email}`, client_id: PAGE_ID, code_challenge: `${code_challenge}` };
  const answer = await fetch(`${SERVER_URL}/otp/send`, {
    method: "POST",
    headers: {
      "Authorization": `Basic ${credentials}`,
      "Content-Type": "application/json",
      "Accept-Language": request.headers["accept-language"] ?? "en",
    },
    body: JSON.stringify(wanted),
    signal: AbortSignal.timeout(30_000),
  });
  return { status: answer.status, type: "application/json", body: await answer.text() };
}

// Only the page's own small requests: a page of another site must not send codes in its visitors' name.
const isOfThePage = ({ headers }) => headers.origin === PAGE_ORIGIN && headers["content-length"] <= 1000;

async function answer(request) {
  const page = pages[`${request.method} ${request.url}`];
  if (page) return page;
  if (request.method !== "POST" || request.url !== "/code") return { status: 404 };
  return isOfThePage(request) ? sendCode(request).catch(() => ({ status: 503 })) : { status: 403 };
}

const policy = `default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self' ${new URL(SERVER_URL).origin}; ` +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const server = createServer(async (request, response) => {
  const { status, type = "text/plain", body = "" } = await answer(request);
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Security-Policy": policy,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
  });
  response.end(body);
});
const { hostname, port } = new URL(PAGE_ORIGIN);
server.listen(port, hostname, () => console.log(`the page is at ${PAGE_ORIGIN}`));
