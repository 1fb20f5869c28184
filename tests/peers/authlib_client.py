"""Drives a server as an application that knows nothing but OAuth 2.0: Authlib.

    authlib_client.py BASE_URL CLIENT_ID CLIENT_SECRET EMAIL

The server shows its messages at BASE_URL/dev/mailbox. What goes wrong ends this with an error; at last comes one line of JSON
with what was learned.
"""

import json
import os
import re
import sys

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

base, client_id, secret, email = sys.argv[1:]


def refused(act):
    try:
        answer = act()
    except OAuthError as error:
        return error.error
    raise AssertionError(f"what must be refused was not: {answer}")


told = requests.get(f"{base}/.well-known/openid-configuration", timeout=30).json()
sent = requests.post(f"{base}/otp/send", json={"email": email}, auth=(client_id, secret), timeout=30).json()
mails = requests.get(f"{base}/dev/mailbox", headers={"Accept": "application/json"}, timeout=30).json()
code = re.search(r"\b\d{6}\b", mails[0]["text"]).group()

session = OAuth2Session(client_id, secret, scope="openid", token_endpoint_auth_method="client_secret_basic")
grant = {"grant_type": "http://tencentciam.com/oauth2/grant-type/otp/email", "email": email}
grant |= {"otp_token": sent["otp_token"], "otp": code}
tokens = dict(session.fetch_token(told["token_endpoint"], **grant))
keys = KeySet.import_key_set(requests.get(told["jwks_uri"], timeout=30).json())
identity = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
jwt.JWTClaimsRegistry(iss={"essential": True, "value": told["issuer"]}, aud={"essential": True, "value": client_id}).validate(
    identity
)
claims = session.get(told["userinfo_endpoint"]).json()
changed = session.patch(told["userinfo_endpoint"], json={"nickname": "Lib"}).json()
refreshed = dict(session.refresh_token(told["token_endpoint"], refresh_token=tokens["refresh_token"]))
reused = refused(lambda: session.refresh_token(told["token_endpoint"], refresh_token=tokens["refresh_token"]))
ended = requests.get(told["userinfo_endpoint"], headers={"Authorization": f"Bearer {refreshed['access_token']}"}, timeout=30)
revoked = session.revoke_token(told["revocation_endpoint"], token=refreshed["refresh_token"])

print(
    json.dumps(
        {
            "sub_is_known": claims["sub"] == identity["sub"],
            "name": claims["name"],
            "nickname": changed["nickname"],
            "rotated": refreshed["refresh_token"] != tokens["refresh_token"],
            "reused": reused,
            "ended": ended.status_code,
            "revoked": revoked.status_code,
        }
    )
)
