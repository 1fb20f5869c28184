"""Makes the valid requests that schemathesis invents for CIAM acceptable where its document cannot say what is.

Only requests that the document allows are changed: what it forbids is sent as it is, and must be refused. CONTRIBUTING.md has
the reason for each change.
"""

import itertools

import schemathesis

NUMBERS = itertools.count()
ZONES = ["Asia/Shanghai", "Europe/Paris", "UTC", ""]
LANGUAGES = ["zh-CN", "en", "zh-Hant-TW", "fr_FR", ""]
# The attributes of the tenant of the test, which has no schema. Addresses need a code that was sent to them.
ATTRIBUTES = ["name", "nickname", "zoneinfo", "locale", "picture"]


def is_allowed(case):
    return case.meta is not None and case.meta.generation.mode.is_positive and isinstance(case.body, dict)


@schemathesis.hook
def before_call(context, case, **kwargs):
    change = CHANGES.get((case.method, case.operation.path))
    if change is not None and is_allowed(case):
        case.body = change(case.body, next(NUMBERS))


def change_of_claims(body, number):
    kept = {name: value for name, value in body.items() if name in ATTRIBUTES}
    for name, values in (("zoneinfo", ZONES), ("locale", LANGUAGES)):
        if name in kept:
            kept[name] = values[number % len(values)]
    return kept


def request_for_a_code(body, number):
    # An application or a challenge is allowed only for some uses, and an application cannot be made up.
    body = {name: value for name, value in body.items() if name not in ("phone_number", "email", "client_id")}
    if body.get("usage", "login") not in ("login", "signup", None) or body.get("code_challenge") is None:
        body = {name: value for name, value in body.items() if name not in ("code_challenge", "code_challenge_method")}
    # Another address each time: the number of codes to one is limited.
    if number % 2:
        return {**body, "phone_number": f"138{number:08}"}
    return {**body, "email": f"person{number}@example.com"}


def revocation(body, number):
    # The credentials are in the header, and may not be in both.
    return {name: value for name, value in body.items() if name not in ("client_id", "client_secret")}


CHANGES = {
    ("PATCH", "/userinfo"): change_of_claims,
    ("POST", "/otp/send"): request_for_a_code,
    ("POST", "/oauth2/revoke"): revocation,
}
