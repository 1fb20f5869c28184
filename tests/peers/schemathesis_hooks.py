"""Gives requests that schemathesis generates what only the server can issue: codes, tokens, keys, sessions and identifiers.

Without them a valid request is refused: a document cannot contain a code that is sent later. So of the valid requests of an
operation in OPERATIONS, every second one gets issued values and must be accepted; the others stay as generated and may be
refused. Every other valid request must be accepted. Requests that the document forbids are not changed, but for one grant.

The environment variable SELFSAME_ISSUED is one JSON object: base, the server's URL; now, its time in seconds; bearer and basic,
values of Authorization; client_hash; user_id, the user of CL2C's key; accepted, the file that lists at the end how many requests
with issued values were accepted, by operation.
"""

import atexit
import base64
import collections
import itertools
import json
import os
import re
import secrets
import uuid

import requests
import schemathesis
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from joserfc import jwe
from joserfc.jwk import JWKRegistry

GIVEN = json.loads(os.environ["SELFSAME_ISSUED"])
NUMBERS = itertools.count()
# The identifiers of requests that may be refused, because a value in them was not issued.
NOT_ISSUED = set()
# The operations of requests with issued values, by the request's identifier, and how many of each were accepted.
ISSUED = {}
ACCEPTED = collections.Counter()
# The attributes of CIAM that need no code, in a tenant without a schema, and the members that belong to an address.
ATTRIBUTES = ["name", "nickname", "zoneinfo", "locale", "picture"]
PROOFS = [f"{name}{suffix}" for name in ("email", "phone_number") for suffix in ("", "_otp_token", "_otp")]
# No schema lists all time zones.
ZONES = ["Asia/Shanghai", "Europe/Paris", "UTC", ""]
REGISTRY = jwe.JWERegistry(algorithms=["ECDH-ES", "A256GCM"], strict_check_header=False)
SESSION = requests.Session()


@schemathesis.hook
def before_call(context, case, **kwargs):
    operation = (case.method, case.operation.path)
    if not is_positive(case):
        if operation == ("POST", "/oauth2/token"):
            with_read_parameters(case)
        return
    number = next(NUMBERS)
    if operation in CORRECTIONS:
        CORRECTIONS[operation](case, number)
    if operation in OPERATIONS and needs_issued(case):
        if number % 2:
            OPERATIONS[operation](case, number)
            ISSUED[case.id] = " ".join(operation)
        else:
            NOT_ISSUED.add(case.id)


@schemathesis.check
def valid_requests_are_accepted(context, response, case):
    if is_positive(case) and case.id not in NOT_ISSUED:
        assert response.status_code // 100 == 2, f"a valid request got {response.status_code}: {response.text}"
        if case.id in ISSUED:
            ACCEPTED[ISSUED.pop(case.id)] += 1


@schemathesis.deserializer("application/jose")
def jose(context, response):
    return response.content.decode()


@atexit.register
def report():
    with open(GIVEN["accepted"], "w") as file:
        json.dump(dict(sorted(ACCEPTED.items())), file)


def is_positive(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


def needs_issued(case):
    if case.operation.path == "/web/v1/system/profile/update":
        return case.media_type != "application/json"
    if case.operation.path == "/userinfo":
        return case.method == "PATCH" and any(name in case.body for name in PROOFS)
    if case.operation.path == "/v1/cl2c/user":
        return isinstance(case.body.get("id"), str)
    if case.operation.path == "/otp/send":
        return case.body.get("client_id") is not None
    return True


def ask(method, path, authorization=None, body=None):
    headers = {} if authorization is None else {"Authorization": authorization}
    headers |= {"X-Client-Hash": GIVEN["client_hash"], "Accept": "application/json"}
    answer = SESSION.request(method, GIVEN["base"] + path, json=body, headers=headers, timeout=30)
    assert answer.status_code == 200, f"{method} {path} {body}: {answer.status_code} {answer.text}"
    return answer.json()


def code_to(address):
    """Returns the newest code that was sent to an address."""
    mails = ask("GET", "/dev/mailbox")
    text = next(mail["text"] for mail in mails if mail["to"] == address)
    return re.search(r"\b\d{6}\b", text).group()


# --- System ---


def encrypted_change(case, number):
    """Replaces the body by a JWE to the server's key."""
    keys = ask("GET", "/web/v1/secure-channel/jwks.json")["keys"]
    jwk = next(key for key in keys if key["kty"] == "OKP")
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": jwk["kid"], "iat": GIVEN["now"], "jti": str(uuid.uuid4())}
    plain = json.dumps({"accountName": f"Encrypted {number}"})
    compact = jwe.encrypt_compact(header, plain, JWKRegistry.import_key(jwk), registry=REGISTRY)
    if case.media_type == "application/jose":
        case.body = compact.encode()
    else:
        protected, _, iv, ciphertext, tag = compact.split(".")
        case.body = {"protected": protected, "iv": iv, "ciphertext": ciphertext, "tag": tag}


def session_keys():
    """Returns the members that open a session: two keys, encrypted to the server's."""
    key = ask("GET", "/web/v1/secure-channel/public-key")["data"]
    public = load_der_public_key(base64.b64decode(key["publicKey"]))
    oaep = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)

    def encrypted():
        return base64.b64encode(public.encrypt(secrets.token_bytes(32), oaep)).decode()

    return {"keyId": key["keyId"], "encReqKey": encrypted(), "encRespKey": encrypted()}


def opened_session(case, number):
    case.body = {**case.body, **session_keys()}


def closed_session(case, number):
    session = ask("POST", "/web/v1/secure-channel/session", GIVEN["bearer"], session_keys())
    case.body = {"sessionId": session["data"]["sessionId"]}


# --- CL2C ---


def known_user(case, number):
    case.path_parameters["id"] = GIVEN["user_id"]


def named_user(case, number):
    case.body = {**case.body, "id": GIVEN["user_id"]}


# --- RiverGen ---


def proved_address(case, number):
    address = f"person{number}@example.com"
    ask("POST", "/api/v1/auth/me/email/request", GIVEN["bearer"], {"new_email": address})
    case.body = {**case.body, "new_email": address, "otp_code": code_to(address)}


# --- CIAM ---


def known_attributes(case, number):
    """Leaves only what this tenant defines, with known time zones: a document cannot list either."""
    case.body = {name: value for name, value in case.body.items() if name in ATTRIBUTES + PROOFS}
    if "zoneinfo" in case.body:
        case.body["zoneinfo"] = ZONES[number % len(ZONES)]


def credentials_once(case, number):
    """Leaves the credentials in the header: they may not also be in the body."""
    case.body = {name: value for name, value in case.body.items() if name not in ("client_id", "client_secret")}


def challenge_to_sign_in(case, number):
    """Leaves an application and a challenge only where they are allowed, and a method only beside a challenge."""
    signs_in = case.body.get("usage") in (None, "login", "signup")
    allowed = ["client_id", "code_challenge", "code_challenge_method"] if signs_in else []
    if case.body.get("code_challenge") is None:
        allowed = [name for name in allowed if name == "client_id"]
    extra = {"client_id", "code_challenge", "code_challenge_method"} - set(allowed)
    case.body = {name: value for name, value in case.body.items() if name not in extra}


def known_application(case, number):
    """Names the sender, as the application that uses the code."""
    case.body = {**case.body, "client_id": base64.b64decode(GIVEN["basic"].split()[1]).decode().split(":")[0]}


def with_read_parameters(case):
    """Asks for another grant than that of an application itself, which ignores the parameters of the others (RFC 6749 §3.2)."""
    if isinstance(case.body, dict) and case.body.get("grant_type") == "client_credentials":
        case.body = {**case.body, "grant_type": "refresh_token"}


def sent_code(usage, number):
    """Sends a code to a new address, and returns the members that identify it, and the code."""
    name, address, to = "email", f"person{number}@example.com", f"person{number}@example.com"
    if number % 4 > 1:
        name, address, to = "phone_number", f"138{number:08}", f"+86138{number:08}"
    token = ask("POST", "/otp/send", GIVEN["basic"], {"usage": usage, name: address})["otp_token"]
    return name, address, token, code_to(to)


def proved_claim(case, number):
    name, address, token, code = sent_code("update_userinfo", number)
    attributes = {name: value for name, value in case.body.items() if name in ATTRIBUTES}
    case.body = {**attributes, name: address, f"{name}_otp_token": token, f"{name}_otp": code}


def granted_tokens(case, number):
    """Asks with a code that was sent, or with a refresh token that such a request got."""
    name, address, token, code = sent_code("login", number)
    medium = "email" if name == "email" else "sms"
    grant = f"http://tencentciam.com/oauth2/grant-type/otp/{medium}"
    body = {"grant_type": grant, name: address, "otp_token": token, "otp": code, "auto_signup": True}
    if number % 8 > 3:
        refresh_token = ask("POST", "/oauth2/token", GIVEN["basic"], body)["refresh_token"]
        body = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    case.body = body


OPERATIONS = {
    ("POST", "/web/v1/system/profile/update"): encrypted_change,
    ("POST", "/web/v1/secure-channel/session"): opened_session,
    ("POST", "/web/v1/secure-channel/session/close"): closed_session,
    ("GET", "/v1/cl2c/users/{id}"): known_user,
    ("PUT", "/v1/cl2c/user"): named_user,
    ("POST", "/api/v1/auth/me/email/verify"): proved_address,
    ("PATCH", "/userinfo"): proved_claim,
    ("POST", "/otp/send"): known_application,
    ("POST", "/oauth2/token"): granted_tokens,
}
CORRECTIONS = {
    ("PATCH", "/userinfo"): known_attributes,
    ("POST", "/otp/send"): challenge_to_sign_in,
    ("POST", "/oauth2/token"): credentials_once,
    ("POST", "/oauth2/revoke"): credentials_once,
}
