// Drives a server as an application that knows nothing but OpenID Connect: openid-client, which is certified for it.
//
//   openid_client.mjs BASE_URL CLIENT_ID CLIENT_SECRET EMAIL
//
// The server shows its messages at BASE_URL/dev/mailbox. What goes wrong ends this with an error; at last comes one line of
// JSON with what was learned.

import * as client from 'openid-client';

const [base, id, secret, email] = process.argv.slice(-4);
const insecure = { execute: [client.allowInsecureRequests] };

const refused = async (what) => {
  try {
    await what;
  } catch (error) {
    return error.error ?? error.cause?.error ?? error.code;
  }
  throw new Error('what must be refused was not');
};

// A back end has a code sent and the person reads it.
const credentials = Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64');
const sent = await fetch(`${base}/otp/send`, {
  method: 'POST',
  headers: { authorization: `Basic ${credentials}`, 'content-type': 'application/json' },
  body: JSON.stringify({ email }),
});
const { otp_token } = await sent.json();
const mails = await (await fetch(`${base}/dev/mailbox`, { headers: { accept: 'application/json' } })).json();
const otp = mails[0].text.match(/\b\d{6}\b/)[0];

const config = await client.discovery(new URL(base), id, {}, client.ClientSecretBasic(secret), insecure);
const grant = `${base}/oauth2/grant-type/otp/email`;
const parameters = { email, otp_token, otp, scope: 'openid' };
const tokens = await client.genericGrantRequest(config, grant, parameters);
const { sub, aud, iss } = tokens.claims();
const claims = await client.fetchUserInfo(config, tokens.access_token, sub);
const usedTwice = await refused(client.genericGrantRequest(config, grant, parameters));

const posting = await client.discovery(new URL(base), id, {}, client.ClientSecretPost(secret), insecure);
const refreshed = await client.refreshTokenGrant(posting, tokens.refresh_token);
const again = await client.fetchUserInfo(posting, refreshed.access_token, sub);
await client.tokenRevocation(posting, refreshed.refresh_token);
const afterRevocation = await refused(client.refreshTokenGrant(posting, refreshed.refresh_token));
const challenge = await client.fetchUserInfo(posting, refreshed.access_token, sub).catch((error) => error);
const wrongSecret = await client.discovery(new URL(base), id, {}, client.ClientSecretBasic('wrong'), insecure);
const afterWrongSecret = await refused(client.clientCredentialsGrant(wrongSecret));

console.log(JSON.stringify({
  iss, aud, subIsKnown: claims.sub === sub && again.sub === sub, name: claims.name, email: claims.email,
  type: tokens.token_type, expires: tokens.expires_in, usedTwice, rotated: refreshed.refresh_token !== tokens.refresh_token,
  afterRevocation, afterWrongSecret, challenge: challenge.cause?.[0]?.parameters?.error ?? challenge.status,
}));
