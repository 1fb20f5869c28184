/** Changes a profile through each contract with the clients that orval generates.
 *
 * The argument is what `selfsame dev --json` prints; the clients are in system.ts and so on. Prints what was read afterwards. */

import * as ciam from "./ciam.js";
import * as cl2c from "./cl2c.js";
import * as rivergen from "./rivergen.js";
import * as system from "./system.js";

const given = JSON.parse(process.argv[2] ?? "");
const contracts = given.contracts;
const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

const hash = { Authorization: `Bearer ${contracts.system.token}`, "X-Client-Hash": contracts.system.client_hash };
// This operation accepts several media types, so that the client leaves the choice to its caller.
const json = { headers: { ...hash, "Content-Type": "application/json" } };
await system.updateProfile({ accountName: "Orval System", defaultCountry: null }, json);
const shown = await system.showProfile({ headers: hash });

const key = { headers: { tenant: contracts.cl2c.tenant, "X-API-Key": contracts.cl2c.api_key } };
await cl2c.updateUser({ firstName: "Orval", lastName: "Cl2c" }, key);
const user = await cl2c.showUser(contracts.cl2c.user_id, key);

const profile = { bio: "orval", gone: null, list: [1, { deep: [true, null] }], object: { member: "x" } };
await rivergen.updateProfile({ profile }, bearer(contracts.rivergen.token));
const me = await rivergen.showMe(bearer(contracts.rivergen.token));
// What was sent has the type of what is shown.
const sent: rivergen.User["profile"] = profile;
const kept: typeof sent | null = me.status === 200 ? me.data.data.user.profile : null;

await ciam.updateClaims({ nickname: "Orval Ciam" }, bearer(contracts.ciam.token));
const claims = await ciam.showClaims(bearer(contracts.ciam.token));
const refused = await ciam.updateClaims({ name: "x".repeat(127) }, bearer(contracts.ciam.token));

console.log(
  JSON.stringify({
    system: shown.status === 200 ? shown.data.data.accountName : null,
    cl2c: user.status === 200 ? user.data.lastName : null,
    rivergen: kept,
    ciam: claims.status === 200 ? claims.data.nickname : null,
    refused: refused.status === 400 ? refused.data.error : null,
  }),
);
