/** Changes a profile through each contract with the types of openapi-typescript and the client openapi-fetch.
 *
 * The argument is what `selfsame dev --json` prints; the types are in system.ts and so on. Prints what was read afterwards. */

import createClient from "openapi-fetch";
import type { paths as Ciam } from "./ciam.js";
import type { paths as Cl2c } from "./cl2c.js";
import type { paths as RiverGen } from "./rivergen.js";
import type { paths as System } from "./system.js";

const given = JSON.parse(process.argv[2] ?? "");
const contracts = given.contracts;
const baseUrl: string = given.base_url;
const bearer = (token: string) => ({ baseUrl, headers: { Authorization: `Bearer ${token}` } });

const system = createClient<System>(bearer(contracts.system.token));
const header = { "X-Client-Hash": contracts.system.client_hash as string };
await system.POST("/web/v1/system/profile/update", {
  params: { header },
  body: { accountName: "Fetch System", defaultCountry: null },
});
const shown = await system.GET("/web/v1/system/profile", { params: { header } });

const cl2c = createClient<Cl2c>({ baseUrl, headers: { "X-API-Key": contracts.cl2c.api_key } });
const tenant = { tenant: contracts.cl2c.tenant as string };
await cl2c.PUT("/v1/cl2c/user", { params: { header: tenant }, body: { firstName: "Fetch", lastName: "Cl2c" } });
const user = await cl2c.GET("/v1/cl2c/users/{id}", { params: { header: tenant, path: { id: contracts.cl2c.user_id } } });

const rivergen = createClient<RiverGen>(bearer(contracts.rivergen.token));
const profile = { bio: "fetch", gone: null, list: [1, { deep: [true, null] }], object: { member: "x" } };
await rivergen.PUT("/api/v1/auth/me/profile", { body: { profile } });
const me = await rivergen.GET("/api/v1/auth/me");
type Profile = NonNullable<typeof me.data>["data"]["user"]["profile"];
// What was sent has the type of what is shown.
const sent: Profile = profile;
void sent;
const kept: Profile | undefined = me.data?.data.user.profile;

const ciam = createClient<Ciam>(bearer(contracts.ciam.token));
await ciam.PATCH("/userinfo", { body: { nickname: "Fetch Ciam" } });
const claims = await ciam.GET("/userinfo");
const refused = await ciam.PATCH("/userinfo", { body: { name: "x".repeat(127) } });

console.log(
  JSON.stringify({
    system: shown.data?.data.accountName,
    cl2c: user.data?.lastName,
    rivergen: kept,
    ciam: claims.data?.nickname,
    refused: refused.error?.error,
  }),
);
