"""The requests of the four contracts, as they are sent; bench/load.lua sends them from files."""

CLIENT_HASH = "bench"  # the same value is in the tokens
SLOT = "#" * 12  # bench/load.lua replaces it by a number


class Contracts:
    """Requests for accounts, in the order of their tokens."""

    def __init__(self, ids, tokens, tenant, api_key):
        self.ids, self.tokens, self.tenant, self.api_key = ids, tokens, tenant, api_key

    def system_reads(self):
        return [get("/web/v1/system/profile", system(token)) for token in self.tokens]

    def cl2c_reads(self):
        headers = {"tenant": self.tenant, "X-API-Key": self.api_key}
        return [get(f"/v1/cl2c/users/{account}", headers) for account in self.ids]

    def rivergen_reads(self):
        return [get("/api/v1/auth/me", bearer(token)) for token in self.tokens]

    def ciam_reads(self):
        return [get("/userinfo", bearer(token)) for token in self.tokens]

    def updates(self):
        """Each changes the name to another one, which has the length of the first."""
        return [self.update(index, f'{{"accountName":"Name {SLOT}"}}'.encode(), {}) for index in range(len(self.tokens))]

    def updates_of_one(self):
        return self.updates()[:1]

    def encrypted_update(self, index, session, envelope):
        return self.update(index, envelope, {"X-SC-Session-Id": session, "X-SC-Version": "2"})

    def update(self, index, body, headers):
        media_type = {"Content-Type": "application/json;charset=UTF-8"}
        return request("POST", "/web/v1/system/profile/update", system(self.tokens[index]) | media_type | headers, body)


def bearer_reads(path, tokens):
    return [get(path, bearer(token)) for token in tokens]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def system(token):
    return bearer(token) | {"X-Client-Hash": CLIENT_HASH}


def get(path, headers):
    return request("GET", path, headers, b"")


def request(method, path, headers, body):
    if body:
        headers = headers | {"Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def write(file, requests):
    """Writes requests as bench/load.lua reads them."""
    with open(file, "wb") as output:
        for sent in requests:
            output.write(b"%d\n" % len(sent) + sent)
