"""Sends large bodies with Python's own clients, and prints what each of them got, one JSON value a line.

python3 large_bodies.py '[{"method": …, "url": …, "headers": {…}, "bytes": …}, …]'
"""

import http.client
import json
import sys
import urllib.error
import urllib.parse
import urllib.request


def connected(one, body):
    url = urllib.parse.urlsplit(one["url"])
    connection = http.client.HTTPConnection(url.netloc)
    connection.request(one["method"], url.path, body, one["headers"])
    answer = connection.getresponse()
    return {"status": answer.status, "body": answer.read().decode()}


def opened(one):
    request = urllib.request.Request(one["url"], b" " * one["bytes"], one["headers"], method=one["method"])
    try:
        urllib.request.urlopen(request)
    except urllib.error.HTTPError as refused:
        return {"status": refused.status, "body": refused.read().decode()}


CLIENTS = {
    "http.client": lambda one: connected(one, b" " * one["bytes"]),
    "http.client, chunked": lambda one: connected(one, (b" " * 65536 for _ in range(one["bytes"] // 65536))),
    "urllib": opened,
}

for one in json.loads(sys.argv[1]):
    for client, send in CLIENTS.items():
        try:
            got = send(one)
        except OSError as error:
            got = {"error": repr(error)}
        print(json.dumps({"client": client, **got}))
