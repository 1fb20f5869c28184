// What orval generates: a client of each contract that calls `fetch`, from the documents in the working directory.
const contracts = ["system", "cl2c", "rivergen", "ciam"];
const client = (contract) => ({
  input: `./${contract}.json`,
  output: { target: `./${contract}.ts`, client: "fetch", baseUrl: process.env.BASE_URL },
});
module.exports = Object.fromEntries(contracts.map((contract) => [contract, client(contract)]));
