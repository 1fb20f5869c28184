// A client of the session form as docs/secure-channel.md describes it, on nothing but WebCrypto and fetch: it runs as it is
// in Node.js and in a browser's page.
//
//   exchange({ base, token, clientHash, updates })
//
// opens a session that is bound to the token's account, sends each update in a binary envelope and the last one again in a JSON envelope, closes the session,
// and returns what was answered: status and what the answer said.

const utf8 = new TextEncoder();
const text = new TextDecoder();

const toBase64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const fromBase64 = (encoded) => Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));

export async function exchange({ base, token, clientHash, updates }) {
  const session = await open({ base, token, clientHash });
  const answers = [];
  for (const update of updates) {
    answers.push(await send({ base, token, clientHash, session, update, json: false }));
  }
  answers.push(await send({ base, token, clientHash, session, update: updates.at(-1), json: true }));
  answers.push(await close(base, session));
  return answers;
}

async function open({ base, token, clientHash }) {
  const { data: published } = await (await fetch(`${base}/web/v1/secure-channel/public-key`)).json();
  const algorithm = { name: 'RSA-OAEP', hash: 'SHA-256' };
  const serverKey = await crypto.subtle.importKey('spki', fromBase64(published.publicKey), algorithm, false, ['encrypt']);
  const requestKey = crypto.getRandomValues(new Uint8Array(32));
  const responseKey = crypto.getRandomValues(new Uint8Array(32));
  const encrypted = async (key) => toBase64(await crypto.subtle.encrypt(algorithm, serverKey, key));
  const opened = await fetch(`${base}/web/v1/secure-channel/session`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', 'X-Client-Hash': clientHash },
    body: JSON.stringify({
      keyId: published.keyId,
      encReqKey: await encrypted(requestKey),
      encRespKey: await encrypted(responseKey),
    }),
  });
  const { data } = await opened.json();
  const key = (bytes, use) => crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, [use]);
  return { id: data.sessionId, request: await key(requestKey, 'encrypt'), response: await key(responseKey, 'decrypt') };
}

async function send({ base, token, clientHash, session, update, json }) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const associated = utf8.encode(session.id);
  const plain = utf8.encode(JSON.stringify(update));
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: associated }, session.request, plain);
  const payload = new Uint8Array([...iv, ...new Uint8Array(sealed)]);
  const answer = await fetch(`${base}/web/v1/system/profile/update`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json;charset=UTF-8',
      'X-Client-Hash': clientHash,
      'X-SC-Session-Id': session.id,
      'X-SC-Version': '2',
    },
    body: json ? JSON.stringify({ v: 2, p: toBase64(payload) }) : new Uint8Array([0x53, 0x43, 2, 2, ...payload]),
  });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const encrypted = json ? fromBase64(JSON.parse(text.decode(bytes)).p) : fromBinary(bytes);
  const opened = await crypto.subtle.decrypt(
    { name: 'AES-GCM', iv: encrypted.slice(0, 12), additionalData: associated },
    session.response,
    encrypted.slice(12),
  );
  return { status: answer.status, said: JSON.parse(text.decode(opened)) };
}

function fromBinary(bytes) {
  if (text.decode(bytes.slice(0, 2)) !== 'SC' || bytes[2] !== 2 || bytes[3] !== 129) {
    throw new Error(`the answer is no envelope: ${text.decode(bytes)}`);
  }
  return bytes.slice(4);
}

async function close(base, session) {
  const closed = await fetch(`${base}/web/v1/secure-channel/session/close`, {
    method: 'POST',
    headers: { 'X-SC-Session-Id': session.id },
  });
  return { status: closed.status, said: await closed.json() };
}
