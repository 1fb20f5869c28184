// Prepares encrypted updates for bench/load.lua, in the session form of docs/secure-channel.md: opens one session for each
// token of a file, and writes lines of token, session, and an envelope in hexadecimal, each with a name that no other has.
//
//   node bench/encrypted.mjs BASE_URL FILE_OF_TOKENS COUNT

import { createCipheriv, createPublicKey, publicEncrypt, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, writeSync } from 'node:fs';

const [base, file, count] = process.argv.slice(2);
const channel = `${base}/web/v1/secure-channel`;
const { data: published } = await (await fetch(`${channel}/public-key`)).json();
const serverKey = createPublicKey({ key: Buffer.from(published.publicKey, 'base64'), format: 'der', type: 'spki' });
const encrypted = (key) => publicEncrypt({ key: serverKey, oaepHash: 'sha256' }, key).toString('base64');

const sessions = [];
for (const token of readFileSync(file, 'utf8').trim().split('\n')) {
  const [request, response] = [randomBytes(32), randomBytes(32)];
  const opened = await fetch(`${channel}/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ keyId: published.keyId, encReqKey: encrypted(request), encRespKey: encrypted(response) }),
  });
  sessions.push({ token, id: (await opened.json()).data.sessionId, request });
}

const run = randomUUID().slice(0, 8);
let lines = [];
for (let number = 0; number < Number(count); number += 1) {
  const { token, id, request } = sessions[number % sessions.length];
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', request, iv).setAAD(Buffer.from(id));
  const text = Buffer.concat([cipher.update(`{"accountName":"${run} ${number}"}`), cipher.final()]);
  const envelope = Buffer.concat([Buffer.from([0x53, 0x43, 2, 2]), iv, text, cipher.getAuthTag()]);
  lines.push(`${token} ${id} ${envelope.toString('hex')}\n`);
  if (lines.length === 1000 || number + 1 === Number(count)) {
    writeSync(1, lines.join(''));
    lines = [];
  }
}
