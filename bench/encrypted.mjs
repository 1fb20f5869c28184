// Prepares encrypted updates for bench/run, in the session form of docs/secure-channel.md: opens one session for each account,
// and writes lines of the account's index, the session, and an envelope in base64, each with a name that no other has.
//
//   node bench/encrypted.mjs BASE_URL ACCOUNTS COUNT SESSIONS_FILE
//
// Sessions are kept in SESSIONS_FILE for the next call.

import { createCipheriv, createPublicKey, publicEncrypt, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync, writeSync } from 'node:fs';

const AT_ONCE = 8;
const [base, accounts, count, file] = process.argv.slice(2);
const channel = `${base}/web/v1/secure-channel`;

async function openSessions() {
  const { data: published } = await (await fetch(`${channel}/public-key`)).json();
  const serverKey = createPublicKey({ key: Buffer.from(published.publicKey, 'base64'), format: 'der', type: 'spki' });
  const encrypted = (key) => publicEncrypt({ key: serverKey, oaepHash: 'sha256' }, key).toString('base64');
  const open = async () => {
    const [request, response] = [randomBytes(32), randomBytes(32)];
    const body = { keyId: published.keyId, encReqKey: encrypted(request), encRespKey: encrypted(response) };
    const headers = { 'Content-Type': 'application/json' };
    const opened = await fetch(`${channel}/session`, { method: 'POST', headers, body: JSON.stringify(body) });
    return { id: (await opened.json()).data.sessionId, key: request.toString('base64') };
  };
  const sessions = [];
  while (sessions.length < Number(accounts)) {
    sessions.push(...await Promise.all(Array.from({ length: AT_ONCE }, open)));
  }
  return sessions.slice(0, Number(accounts));
}

if (!existsSync(file)) writeFileSync(file, JSON.stringify(await openSessions()));
const sessions = JSON.parse(readFileSync(file, 'utf8'))
  .map(({ id, key }) => ({ id, key: Buffer.from(key, 'base64') }));
const run = randomUUID().slice(0, 8);
const head = Buffer.from([0x53, 0x43, 2, 2]);
let lines = [];
for (let number = 0; number < Number(count); number += 1) {
  const account = number % sessions.length;
  const { id, key } = sessions[account];
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(id));
  const text = Buffer.concat([cipher.update(`{"accountName":"${run} ${number}"}`), cipher.final()]);
  lines.push(`${account} ${id} ${Buffer.concat([head, iv, text, cipher.getAuthTag()]).toString('base64')}\n`);
  if (lines.length === 1000 || number + 1 === Number(count)) {
    writeSync(1, lines.join(''));
    lines = [];
  }
}
