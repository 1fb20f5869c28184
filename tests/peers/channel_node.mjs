// Runs channel.mjs in Node.js. The argument is one JSON object, what exchange() takes; prints what it returns.

import { exchange } from './channel.mjs';

console.log(JSON.stringify(await exchange(JSON.parse(process.argv.at(-1)))));
