// Sends large bodies with Node's own clients, and prints what each of them got, one JSON value a line.
//
//   node large_bodies.mjs '[{"method": …, "url": …, "headers": {…}, "bytes": …}, …]'
import http from 'node:http';

const piece = Buffer.alloc(1 << 20, ' ');

async function* pieces(bytes) {
  for (let left = bytes; left > 0; left -= piece.length) yield piece.subarray(0, Math.min(left, piece.length));
}

async function fetched({ method, url, headers, bytes }, body) {
  const answer = await fetch(url, { method, headers, body, duplex: 'half' });
  return { status: answer.status, body: await answer.text() };
}

function requested({ method, url, headers, bytes }) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers: { ...headers, 'Content-Length': bytes } }, (answer) => {
      let body = '';
      answer.on('data', (part) => { body += part; });
      answer.on('end', () => resolve({ status: answer.statusCode, body }));
    });
    request.on('error', reject);
    request.end(Buffer.alloc(bytes, ' '));
  });
}

const clients = {
  'fetch': (one) => fetched(one, Buffer.alloc(one.bytes, ' ')),
  'fetch of a stream': (one) => fetched(one, ReadableStream.from(pieces(one.bytes))),
  'http.request': requested,
};

for (const one of JSON.parse(process.argv[2])) {
  for (const [client, send] of Object.entries(clients)) {
    const got = await send(one).catch((error) => ({ error: `${error} ${error.cause ?? ''}` }));
    console.log(JSON.stringify({ client, ...got }));
  }
}
process.exit();
