// Generates src/api/*.gen.ts from the documents in docs; with --check it only compares them.
import { readFile, writeFile } from "node:fs/promises";
import process from "node:process";
import openapiTS, { astToString } from "openapi-typescript";

const DOCS = new URL("../../docs/", import.meta.url);
const OUTPUT = new URL("../src/api/", import.meta.url);
const SOURCES = {
  "gateway.gen.ts": "gateway.openapi.json",
  "auth.gen.ts": "auth.openapi.json",
  "stream.gen.ts": "stream.openapi.json",
};

/** Errors are always a `Problem`, and the page reads no header of an answer: both are left out. */
function withoutErrors(document) {
  for (const operations of Object.values(document.paths)) {
    for (const operation of Object.values(operations)) {
      for (const [status, answer] of Object.entries(operation.responses ?? {})) {
        delete answer.headers;
        if (!status.startsWith("2")) delete operation.responses[status];
      }
    }
  }
  return document;
}

async function generated(source) {
  const document = JSON.parse(await readFile(new URL(source, DOCS), "utf8"));
  const nodes = await openapiTS(withoutErrors(document), {
    alphabetize: true,
    defaultNonNullable: false,
  });
  return `// Generated from docs/${source} by \`make docs\`. Do not edit.\n${astToString(nodes)}`;
}

const isCheck = process.argv.includes("--check");
const stale = [];
for (const [name, source] of Object.entries(SOURCES)) {
  const path = new URL(name, OUTPUT);
  const text = await generated(source);
  const old = await readFile(path, "utf8").catch((error) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  if (old === text) continue;
  if (isCheck) stale.push(name);
  else await writeFile(path, text);
}
if (stale.length > 0) {
  process.stderr.write(`web/src/api: ${stale.join(", ")}: not current; run: make docs\n`);
  process.exitCode = 1;
}
