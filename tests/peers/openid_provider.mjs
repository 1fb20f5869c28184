// The OpenID provider that the tests put selfsame behind: oidc-provider, whose people sign in by their name alone.
//
//   openid_provider.mjs DIRECTORY
//
// DIRECTORY/settings.json says what to do; DIRECTORY/ready is made when the provider listens.

import { createPrivateKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const directory = process.argv.at(-1);
const settings = JSON.parse(readFileSync(`${directory}/settings.json`, 'utf8'));
const { port, keys, sign, audience, broken, claims, type } = settings;

const jwk = ({ kid, pkcs8 }) => ({
  ...createPrivateKey({ key: Buffer.from(pkcs8, 'base64'), format: 'der', type: 'pkcs8' }).export({ format: 'jwk' }),
  kid,
  use: 'sig',
});

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys: keys.map(jwk) },
  clients: [{
    client_id: 'app',
    client_secret: 'the secret of the app',
    redirect_uris: ['https://app.example/callback'],
    id_token_signed_response_alg: sign.alg,
  }],
  enabledJWA: { idTokenSigningAlgValues: [sign.alg] },
  cookies: { keys: ['signs the cookies of one test'] },
  findAccount: (context, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  extraTokenClaims: async (context, token) => ({ name: `The person ${token.accountId}`, ...claims }),
  formats: {
    customizers: {
      // Writes the header as another provider does.
      jwt: async (context, token, jwt) => {
        if (type) jwt.header = { ...jwt.header, typ: type };
        return jwt;
      },
    },
  },
  features: {
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: async () => ({
        scope: 'openid profile:write profile email',
        audience,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 3600,
        jwt: { sign },
      }),
    },
  },
});
provider.on('server_error', (context, error) => console.error(error));

const answer = provider.callback();
const server = createServer((request, response) => {
  if (broken && request.url === '/jwks') {
    response.setHeader('content-type', 'application/jwk-set+json').end('{"keys":[{"kty":"EC","kid":');
  } else {
    answer(request, response);
  }
});
process.on('SIGTERM', () => process.exit(0));
server.listen(port, '127.0.0.1', () => writeFileSync(`${directory}/ready`, ''));
