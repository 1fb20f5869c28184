// A client of the JOSE form, on npm's `jose` as it comes. The arguments are one JSON object: base, token, clientHash, now.
// Prints what was answered to each message, one JSON object a line.

import { createHash, randomUUID } from 'node:crypto';
import * as jose from 'jose';

const { base, token, clientHash, now } = JSON.parse(process.argv.at(-1));
const { keys } = await (await fetch(`${base}/web/v1/secure-channel/jwks.json`)).json();
const key = (kty) => keys.find((jwk) => jwk.kty === kty);

const ways = [
  [key('RSA'), 'RSA-OAEP-256'],
  [key('EC'), 'ECDH-ES'],
  [key('EC'), 'ECDH-ES+A256KW'],
  [key('OKP'), 'ECDH-ES'],
  [key('OKP'), 'ECDH-ES+A256KW'],
];

for (const [jwk, alg] of ways) {
  for (const flattened of [false, true]) {
    for (const crv of ['P-256', 'X25519']) {
      await exchange(jwk, alg, flattened, crv);
    }
  }
}

async function exchange(jwk, alg, flattened, crv) {
  const accountName = `${alg} ${jwk.kty} ${flattened ? 'flattened' : 'compact'} ${crv}`;
  const plain = new TextEncoder().encode(JSON.stringify({ accountName }));
  const answerKey = await jose.generateKeyPair('ECDH-ES', { crv, extractable: true });
  const header = {
    alg,
    enc: 'A256GCM',
    kid: jwk.kid,
    cty: 'application/json',
    iat: now,
    jti: randomUUID(),
    ath: createHash('sha256').update(token).digest('base64url'),
    reply_jwk: await jose.exportJWK(answerKey.publicKey),
  };
  const Encrypt = flattened ? jose.FlattenedEncrypt : jose.CompactEncrypt;
  const message = await new Encrypt(plain).setProtectedHeader(header).encrypt(await jose.importJWK(jwk, alg));
  const answer = await fetch(`${base}/web/v1/system/profile/update`, {
    method: 'POST',
    headers: {
      Accept: 'application/jose',
      Authorization: `Bearer ${token}`,
      'Content-Type': flattened ? 'application/jose+json' : 'application/jose',
      'X-Client-Hash': clientHash,
    },
    body: flattened ? JSON.stringify(message) : message,
  });
  const body = await answer.text();
  if (answer.headers.get('content-type') !== 'application/jose') throw new Error(`${accountName}: ${body}`);
  const { plaintext, protectedHeader } = await jose.compactDecrypt(body, answerKey.privateKey);
  if (protectedHeader.jti !== header.jti) throw new Error('the answer is to another message');
  const said = JSON.parse(new TextDecoder().decode(plaintext));
  console.log(JSON.stringify({ sent: accountName, status: answer.status, said: said.data?.accountName ?? said }));
}
