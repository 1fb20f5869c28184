use super::{Ciam, Contracts, Demo};

/// A picture of one pixel.
const PICTURE: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
/// Makes a JWE of its argument, with what Node.js has: the first of the published keys is the RSA key.
const ENCRYPT: &str = r#"const c=require("crypto"),e=b=>Buffer.from(b).toString("base64url");fetch("BASE/web/v1/secure-channel/jwks.json").then(r=>r.json()).then(({keys:[k]})=>{const h=e(JSON.stringify({alg:"RSA-OAEP-256",enc:"A256GCM",kid:k.kid,iat:Math.floor(Date.now()/1e3),jti:c.randomUUID()})),s=c.randomBytes(32),v=c.randomBytes(12),a=c.createCipheriv("aes-256-gcm",s,v).setAAD(Buffer.from(h)),t=Buffer.concat([a.update(process.argv[1]),a.final()]);console.log([h,e(c.publicEncrypt({key:c.createPublicKey({key:k,format:"jwk"}),oaepHash:"sha256"},s)),e(v),e(t),e(a.getAuthTag())].join("."))})"#;
/// The address that the demo person moves to.
const EMAIL: &str = "new@example.com";

impl Demo {
    /// Requests to paste into a shell, one for every operation.
    pub(super) fn guide(&self) -> String {
        let Demo {
            base_url,
            operator_url,
            mailbox_url,
            account_id,
            bystander_id,
            contracts: Contracts { system, cl2c, rivergen, ciam },
            ..
        } = self;
        let signed = format!("-H 'Authorization: Bearer {}' -H 'X-Client-Hash: {}'", system.token, system.client_hash);
        let keyed = format!("-H 'tenant: {}' -H 'X-API-Key: {}'", cl2c.tenant, cl2c.api_key);
        let user = &cl2c.user_id;
        let encrypt = ENCRYPT.replace("BASE", base_url);
        let river = format!("-H 'Authorization: Bearer {}'", rivergen.token);
        format!(
            "selfsame is listening on {base_url}\n\
             demo account {account_id}, bystander {bystander_id}; tokens hold for 24 hours and change at every start\n\n\
             # System: read the profile\n\
             curl -sS {base_url}/web/v1/system/profile {signed}\n\n\
             # System: change it\n\
             curl -sS {base_url}/web/v1/system/profile/update {signed} -H 'Content-Type: application/json' \
             -d '{{\"accountName\":\"Jane Admin\",\"defaultTimezone\":\"Asia/Shanghai\"}}'\n\n\
             # System: change it by an encrypted request; Node.js encrypts it\n\
             curl -sS {base_url}/web/v1/system/profile/update {signed} -H 'Content-Type: application/jose' \
             -d \"$(node -e '{encrypt}' '{{\"accountName\":\"Jane Admin\",\"defaultTimezone\":\"Asia/Shanghai\"}}')\"\n\n\
             # CL2C: read the user\n\
             curl -sS {base_url}/v1/cl2c/users/{user} {keyed}\n\n\
             # CL2C: change it\n\
             curl -sS -X PUT {base_url}/v1/cl2c/user {keyed} -H 'Content-Type: application/json' \
             -d '{{\"id\":\"{user}\",\"firstName\":\"John\",\"lastName\":\"Doe\",\"phoneNumber\":\"+1234567890\"}}'\n\n\
             {}\
             # RiverGen: read everything about the person\n\
             curl -sS {base_url}/api/v1/auth/me {river}\n\n\
             # RiverGen: change the profile, picture and all\n\
             curl -sS -X PUT {base_url}/api/v1/auth/me/profile {river} -H 'Content-Type: application/json' \
             -d '{{\"display_name\":\"Jane Smith\",\"profile_image_url\":\"{PICTURE}\",\
             \"profile\":{{\"bio\":\"Software developer\"}}}}'\n\n\
             # RiverGen: ask for another e-mail address; the code goes to the mailbox below\n\
             curl -sS {base_url}/api/v1/auth/me/email/request {river} -H 'Content-Type: application/json' \
             -d '{{\"new_email\":\"{EMAIL}\"}}'\n\n\
             # RiverGen: bring the code back\n\
             curl -sS {base_url}/api/v1/auth/me/email/verify {river} -H 'Content-Type: application/json' \
             -d \"{{\\\"new_email\\\":\\\"{EMAIL}\\\",\\\"otp_code\\\":\\\"$(curl -sS {mailbox_url} \
             -H 'Accept: application/json' | grep -oE '[0-9]{{6}}' | head -n 1)\\\"}}\"\n\n\
             # Everything that people would have got, newest first; a page for browsers\n\
             curl -sS {mailbox_url} -H 'Accept: application/json'\n\n\
             # The keys that verify these tokens\n\
             curl -sS {base_url}/.well-known/jwks.json\n\n\
             # Metrics, on the operators' own listener\n\
             curl -sS {}/metrics\n",
            ciam.guide(base_url),
            operator_url.as_deref().unwrap_or_default()
        )
    }
}

impl Ciam {
    /// The whole way of a person, from a code to a proved phone number; what one request answers goes into the next.
    fn guide(&self, base_url: &str) -> String {
        let Ciam { token, client_id, client_secret, email } = self;
        let applied = format!("-u '{client_id}:{client_secret}'");
        let sent = format!("curl -sS {base_url}/otp/send {applied} -H 'Content-Type: application/json'");
        let taken = |member: &str| format!("sed 's/.*\"{member}\":\"\\([^\"]*\\)\".*/\\1/'");
        let read = format!(
            "$(curl -sS {base_url}/dev/mailbox -H 'Accept: application/json' | \
             grep -o '\"text\":\"[^0-9]*[0-9]\\{{6\\}}' | head -n 1 | grep -o '[0-9]*$')"
        );
        let (otp_token, access_token) = (taken("otp_token"), taken("access_token"));
        format!(
            "# CIAM: read the claims with the demo token\n\
             curl -sS {base_url}/userinfo -H 'Authorization: Bearer {token}'\n\n\
             # CIAM: send a code to the e-mail address\n\
             otp_token=$({sent} -d '{{\"email\":\"{email}\"}}' | {otp_token})\n\n\
             # CIAM: read the code in the mailbox, which a browser shows at {base_url}/dev/mailbox\n\
             otp={read}\n\n\
             # CIAM: sign in with it\n\
             access_token=$(curl -sS {base_url}/oauth2/token {applied} \
             -d grant_type={base_url}/oauth2/grant-type/otp/email -d email={email} \
             -d \"otp_token=$otp_token\" -d \"otp=$otp\" | {access_token})\n\n\
             # CIAM: read the claims with the token of the sign-in\n\
             curl -sS {base_url}/userinfo -H \"Authorization: Bearer $access_token\"\n\n\
             # CIAM: send a code to a new phone number\n\
             otp_token=$({sent} -d '{{\"usage\":\"update_userinfo\",\"phone_number\":\"13800138000\"}}' | {otp_token})\n\n\
             # CIAM: read that code\n\
             otp={read}\n\n\
             # CIAM: change the phone number\n\
             curl -sS -X PATCH {base_url}/userinfo -H \"Authorization: Bearer $access_token\" \
             -H 'Content-Type: application/json' -d \"{{\\\"phone_number\\\":\\\"13800138000\\\",\
             \\\"phone_number_otp_token\\\":\\\"$otp_token\\\",\\\"phone_number_otp\\\":\\\"$otp\\\"}}\"\n\n"
        )
    }
}
