"""A mail server on a loopback port. It prints the port, then each message as a line of JSON, until its input ends.

Arguments: port (0: a free one), "none", "ascii" (without TLS and without SMTPUTF8), "starttls" or "tls", and for the last two a
certificate, a key, a user, a password.
What the local part of a recipient says happens: refused, later, hang, lost (the message is taken, and then nothing is said).
"""

import asyncio
import email
import email.policy
import itertools
import json
import logging
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

# What it says about clients that break off is no news.
logging.disable()

REPLIES = {"refused": "550 5.1.1 No mailbox refused@example.com", "later": "451 4.3.0 later@example.com is busy"}


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.split("@")[0]
        if local in REPLIES:
            return REPLIES[local]
        if local == "hang":
            await asyncio.Event().wait()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        part = lambda kind: getattr(message.get_body((kind,)), "get_content", lambda: None)()
        report = {
            "session": server.number,
            "tls": server.transport.get_extra_info("sslcontext") is not None,
            "user": session.auth_data.login.decode() if session.authenticated else None,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": [[name, str(value)] for name, value in message.items()],
            "defects": [str(defect) for defect in message.defects],
            "plain": part("plain"),
            "html": part("html"),
        }
        print(json.dumps(report), flush=True)
        if envelope.rcpt_tos[0].startswith("lost@"):
            server.transport.abort()
            await asyncio.Event().wait()
        return "250 OK"


async def main(port, security, certificate=None, key=None, user=None, password=None):
    context = None
    if security not in ("none", "ascii"):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)

    def authenticate(server, session, envelope, mechanism, data):
        return AuthResult(success=(data.login.decode(), data.password.decode()) == (user, password), auth_data=data)

    numbers = itertools.count(1)

    def connected():
        options = {"hostname": "localhost", "enable_SMTPUTF8": security != "ascii"}
        if user:
            options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": security == "starttls"}
        if security == "starttls":
            options |= {"tls_context": context, "require_starttls": True}
        server = SMTP(Handler(), **options)
        server.number = next(numbers)
        return server

    loop = asyncio.get_running_loop()
    implicit = context if security == "tls" else None
    listening = await loop.create_server(connected, "127.0.0.1", int(port), ssl=implicit, reuse_address=True)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main(*sys.argv[1:]))
