// Makes docs/secure-channel-vectors.json: what docs/secure-channel.md describes, written out by WebCrypto. What is random in
// it is made of the same bytes every time, but for the padding of RSA-OAEP.
//
//   node tests/peers/channel_vectors.mjs "$(jq -r .rsa src/jose/fixtures.json)" > docs/secure-channel-vectors.json

const { subtle } = crypto;
const base64 = (bytes) => Buffer.from(bytes).toString('base64');
const counting = (length, from) => Uint8Array.from({ length }, (_, index) => from + index);
const utf8 = new TextEncoder();

const privateKey = process.argv[2];
const algorithm = { name: 'RSA-OAEP', hash: 'SHA-256' };
const imported = await subtle.importKey('pkcs8', Buffer.from(privateKey, 'base64'), algorithm, true, ['decrypt']);
const { n, e } = await subtle.exportKey('jwk', imported);
const serverKey = await subtle.importKey('jwk', { kty: 'RSA', n, e }, algorithm, true, ['encrypt']);
const thumbprint = await subtle.digest('SHA-256', utf8.encode(JSON.stringify({ e, kty: 'RSA', n })));
const keyId = Buffer.from(thumbprint).toString('base64url');

const requestKey = counting(32, 0x00);
const responseKey = counting(32, 0x20);
const sessionId = '0f8fad5b-d9cb-469f-a165-70867728950e';
const request = '{"accountName":"Jane Admin"}';
const response = '{"success":true}';
const encrypted = async (key) => new Uint8Array(await subtle.encrypt(algorithm, serverKey, key));
const [encReqKey, encRespKey] = [await encrypted(requestKey), await encrypted(responseKey)];

const payload = async (key, iv, associated, plain) => {
  const imported = await subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
  const parameters = { name: 'AES-GCM', iv, additionalData: utf8.encode(associated) };
  return [...iv, ...new Uint8Array(await subtle.encrypt(parameters, imported, utf8.encode(plain)))];
};
const long = (bytes) => [bytes.length >> 8, bytes.length & 255, ...bytes];
const head = (type) => [0x53, 0x43, 2, type];

const inSession = await payload(requestKey, counting(12, 0x40), sessionId, request);
const alone = await payload(requestKey, counting(12, 0x50), '', request);
const answer = await payload(responseKey, counting(12, 0x60), sessionId, response);
const answerAlone = await payload(responseKey, counting(12, 0x70), '', response);

// A JWE (RFC 7516 §7.1) that is bound to an access token, the one of RFC 9449 §4.2's example.
const base64url = (bytes) => Buffer.from(bytes).toString('base64url');
const accessToken = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU';
const contentKey = counting(32, 0x80);
const protectedHeader = base64url(utf8.encode(JSON.stringify({
  alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: keyId, iat: 1768464000, jti: '9b2d3a52-7d0c-4a40-8f2e-4f3b1c6d5e01',
  ath: base64url(await subtle.digest('SHA-256', utf8.encode(accessToken))),
})));
const content = Uint8Array.from(await payload(contentKey, counting(12, 0xa0), protectedHeader, request));
const jwe = [
  protectedHeader,
  ...[await encrypted(contentKey), content.slice(0, 12), content.slice(12, -16), content.slice(-16)].map(base64url),
].join('.');

console.log(JSON.stringify({
  privateKey,
  publicKey: base64(await subtle.exportKey('spki', serverKey)),
  keyId,
  requestKey: base64(requestKey),
  responseKey: base64(responseKey),
  encReqKey: base64(encReqKey),
  encRespKey: base64(encRespKey),
  sessionId,
  request,
  response,
  type2: base64([...head(2), ...inSession]),
  type2Json: JSON.stringify({ v: 2, p: base64(inSession) }),
  type129: base64([...head(129), ...answer]),
  type129Json: JSON.stringify({ v: 2, p: base64(answer) }),
  type1: base64([
    ...head(1), keyId.length, ...utf8.encode(keyId), ...long(encReqKey), ...long(encRespKey), ...alone,
  ]),
  type129OfType1: base64([...head(129), ...answerAlone]),
  accessToken,
  jwe,
}, null, 2));
