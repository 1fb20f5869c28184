// Makes src/jose/fixtures.json: messages by npm's `jose` and the private keys that open them. Every run makes others.
//
//   cd target/peers && node --input-type=module --eval "$(cat ../../tests/peers/jose_fixtures.mjs)" > ../../src/jose/fixtures.json

import * as jose from 'jose';

const plain = '{"accountName":"Jane Admin"}';
const keys = {
  rsa: await jose.generateKeyPair('RSA-OAEP-256', { modulusLength: 2048, extractable: true }),
  p256: await jose.generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true }),
  x25519: await jose.generateKeyPair('ECDH-ES', { crv: 'X25519', extractable: true }),
};

const messages = [];
for (const [key, alg] of [
  ['rsa', 'RSA-OAEP-256'],
  ['p256', 'ECDH-ES'],
  ['p256', 'ECDH-ES+A256KW'],
  ['x25519', 'ECDH-ES'],
  ['x25519', 'ECDH-ES+A256KW'],
]) {
  for (const parties of [false, true]) {
    if (parties && alg === 'RSA-OAEP-256') continue;
    const encrypt = async (Encrypt) => {
      const message = new Encrypt(new TextEncoder().encode(plain)).setProtectedHeader({ alg, enc: 'A256GCM', kid: key });
      if (parties) message.setKeyManagementParameters({ apu: new Uint8Array([1, 2, 3]), apv: new Uint8Array(32) });
      return message.encrypt(keys[key].publicKey);
    };
    messages.push({ key, alg, compact: await encrypt(jose.CompactEncrypt), flattened: await encrypt(jose.FlattenedEncrypt) });
  }
}

const fixtures = {
  plain,
  rsa: (await jose.exportPKCS8(keys.rsa.privateKey)).split('\n').slice(1, -1).join(''),
  p256: (await jose.exportJWK(keys.p256.privateKey)).d,
  x25519: (await jose.exportJWK(keys.x25519.privateKey)).d,
  messages,
};
console.log(JSON.stringify(fixtures, null, 1));
