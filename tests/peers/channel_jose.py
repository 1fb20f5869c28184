"""A client of the JOSE form, on joserfc as it comes. The argument is one JSON object: base, token, clientHash, now.

Prints what was answered to each message, one JSON object a line.
"""

import base64
import hashlib
import json
import sys
import urllib.error
import urllib.request
import uuid

from joserfc import jwe
from joserfc.jwk import ECKey, JWKRegistry, OKPKey

given = json.loads(sys.argv[-1])
base = given["base"]
UPDATE = f"{base}/web/v1/system/profile/update"
# What is not in the standard must be named to the library.
REGISTRY = jwe.JWERegistry(
    algorithms=["RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW", "A256GCM"],
    strict_check_header=False,
)


def main():
    with urllib.request.urlopen(f"{base}/web/v1/secure-channel/jwks.json") as answer:
        keys = {key["kty"]: key for key in json.load(answer)["keys"]}
    for kind, algorithm in [
        ("RSA", "RSA-OAEP-256"),
        ("EC", "ECDH-ES"),
        ("EC", "ECDH-ES+A256KW"),
        ("OKP", "ECDH-ES"),
        ("OKP", "ECDH-ES+A256KW"),
    ]:
        for flattened in [False, True]:
            exchange(keys[kind], algorithm, flattened)


def exchange(jwk, algorithm, flattened):
    name = f"{algorithm} {jwk['kty']} {'flattened' if flattened else 'compact'}"
    answer_key = OKPKey.generate_key("X25519") if flattened else ECKey.generate_key("P-256")
    header = {
        "alg": algorithm,
        "enc": "A256GCM",
        "iat": given["now"],
        "jti": str(uuid.uuid4()),
        "ath": base64.urlsafe_b64encode(hashlib.sha256(given["token"].encode()).digest()).rstrip(b"=").decode(),
        "reply_jwk": answer_key.as_dict(private=False),
    }
    plain = json.dumps({"accountName": name})
    key = JWKRegistry.import_key(jwk)
    if flattened:
        # The library writes the name of the key into the header beside the protected one by itself.
        message = jwe.FlattenedJSONEncryption(header, plain.encode())
        message.add_recipient(None, key)
        body, media_type = json.dumps(jwe.encrypt_json(message, None, registry=REGISTRY)), "application/jose+json"
    else:
        header["kid"] = jwk["kid"]
        body, media_type = jwe.encrypt_compact(header, plain, key, registry=REGISTRY), "application/jose"
    headers = {
        "Accept": "application/jose",
        "Authorization": f"Bearer {given['token']}",
        "Content-Type": media_type,
        "X-Client-Hash": given["clientHash"],
    }
    try:
        answer = urllib.request.urlopen(urllib.request.Request(UPDATE, body.encode(), headers))
    except urllib.error.HTTPError as refused:
        sys.exit(f"{name}: {refused.code} {refused.read().decode()}")
    opened = jwe.decrypt_compact(answer.read().decode(), answer_key, registry=REGISTRY)
    assert opened.protected["jti"] == header["jti"]
    said = json.loads(opened.plaintext)
    print(json.dumps({"sent": name, "status": answer.status, "said": said["data"]["accountName"]}))


main()
