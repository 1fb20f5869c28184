// Signs a person in with a code, and lets them read and change their profile.
//
// The tokens are in this page's memory and nowhere else: each tab has its own, and closing or reloading it forgets them. What
// the person or the server wrote is shown with `textContent` and `value`, never as HTML.

const { server, clientId } = await (await fetch("/settings.json")).json();

/** What has to come back with the code, from asking for it until it was used. */
let pending;
/** The tokens, while a person is signed in, and when the access token ends. */
let session;
/** The claims that the profile shows. */
let shown;

// --- Signing in and out ---

async function requestCode({ email }) {
  const code_verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code_verifier));
  const { otp_token } = await call("/code", json("POST", { email, code_challenge: base64url(hash) }));
  pending = { email, otp_token, code_verifier };
  show("enter");
}

async function signIn({ otp }) {
  const grant_type = "http://tencentciam.com/oauth2/grant-type/otp/email";
  await getTokens({ grant_type, ...pending, otp, auto_signup: true });
  pending = undefined;
  showProfile(await userinfo("GET"));
  show("profile");
}

async function signOut() {
  const token = session.refresh_token;
  forget();
  await call(`${server}/oauth2/revoke`, form({ client_id: clientId, token }));
}

function forget() {
  session = pending = shown = undefined;
  for (const each of document.forms) each.reset();
  document.querySelector("#who").textContent = "";
  show("ask");
}

// --- Tokens ---

async function getTokens(parameters) {
  const tokens = await call(`${server}/oauth2/token`, form({ client_id: clientId, ...parameters }));
  session = { ...tokens, ends: Date.now() + tokens.expires_in * 1000 };
}

/** Gets new tokens. If the answer is lost, the same refresh token is accepted once more for ten seconds. */
async function refresh() {
  const parameters = { grant_type: "refresh_token", refresh_token: session.refresh_token };
  await getTokens(parameters).catch((error) => {
    if (error instanceof Refusal) throw error;
    return getTokens(parameters);
  });
}

// --- The profile ---

/** Reads the claims or changes them. The access token is replaced a few seconds before it ends. */
async function userinfo(method, changes) {
  if (session.ends - Date.now() < 5000) await refresh();
  const request = changes ? json(method, changes) : { method, headers: {} };
  request.headers.Authorization = `Bearer ${session.access_token}`;
  return call(`${server}/userinfo`, request);
}

async function save(fields) {
  const changes = Object.entries(fields).filter(([name, value]) => value !== (shown[name] ?? ""));
  showProfile(await userinfo("PATCH", Object.fromEntries(changes)));
  say("Saved.");
}

function showProfile(claims) {
  shown = claims;
  document.querySelector("#who").textContent = claims.email ?? claims.sub;
  for (const input of document.querySelectorAll("#profile input")) input.value = claims[input.name] ?? "";
}

// --- Requests ---

/** An answer that is no success, with its error and, if there is one, its description (RFC 6749 §5.2). */
class Refusal extends Error {
  constructor(status, { error = "", error_description = "" }) {
    super(error_description || error || `status ${status}`);
    Object.assign(this, { status, error, error_description });
  }
}

async function call(url, request) {
  const answer = await fetch(url, { ...request, credentials: "omit" });
  const body = await answer.json().catch(() => ({})); // some answers have no body
  if (!answer.ok) throw new Refusal(answer.status, body);
  return body;
}

const json = (method, body) => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

const form = (parameters) => ({ method: "POST", body: new URLSearchParams(parameters) });

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

// --- What the person sees ---

const TEXTS = {
  "malformed_email": "This is not an e-mail address.",
  "email_rate_limit_exceeded": "You have just been sent a code. Wait a moment before you ask for another one.",
  "Unknown or expired OTP": "The code is wrong, or too old.",
  "Unknown or expired otp_token": "The code is too old. Ask for a new one.",
  "illegal_parameter_value": "One of the values is not valid.",
  "rate_limit_exceeded": "Too many requests. Wait a moment.",
};

function say(text) {
  document.querySelector("#message").textContent = text;
}

function explain(error) {
  if (!(error instanceof Refusal)) return "The server cannot be reached. Check your connection and try again.";
  return TEXTS[error.error_description] ?? TEXTS[error.error] ?? "That did not work. Try again later.";
}

/** Shows one of the three forms. */
function show(id) {
  for (const each of document.forms) each.hidden = each.id !== id;
  document.querySelector(`#${id} input`).focus();
}

let busy = false;

/** Runs one action at a time, and shows why it failed. */
async function run(action, fields) {
  if (busy) return;
  busy = true;
  say("");
  try {
    await action(fields);
  } catch (error) {
    // The access token or the refresh token is not valid any more: the person, or an operator, has ended the session.
    const isOver = session && (error.status === 401 || error.error === "invalid_grant");
    if (isOver) forget();
    say(isOver ? "You were signed out." : explain(error));
  }
  busy = false;
}

for (const [id, action] of Object.entries({ ask: requestCode, enter: signIn, profile: save })) {
  document.forms[id].addEventListener("submit", (event) => {
    event.preventDefault();
    run(action, Object.fromEntries(new FormData(event.target)));
  });
}
document.querySelector("#back").addEventListener("click", () => run(forget));
document.querySelector("#sign-out").addEventListener("click", () => run(signOut));
show("ask");
