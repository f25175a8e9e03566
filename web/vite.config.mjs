// One bundle: a tab that was opened before an update never asks for a file that is gone.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { defineConfig } from "vitest/config";

const STACK = process.env["TRADEDAD_WEB_STACK"] ?? "http://127.0.0.1:7400";

/** Identifies the sources: the page compares it with that of the gateway after a reconnect. */
function buildId() {
  const hash = createHash("sha256");
  const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(ts|tsx|css)$/.test(name) && !name.endsWith(".test.ts"))
    .map((name) => `src/${name}`);
  for (const path of ["index.html", "package-lock.json", ...sources].sort()) {
    hash.update(path).update(readFileSync(path));
  }
  return hash.digest("hex").slice(0, 12);
}

/** The chart's logo is switched off (the page names its author): its drawing is not sent. */
const dropChartLogo = {
  name: "drop-chart-logo",
  apply: "build",
  transform(code, id) {
    if (!id.includes("lightweight-charts")) return null;
    const [logo] = /<svg [^']*<\/svg>/.exec(code) ?? this.error(`no logo found in ${id}`);
    return { code: code.replace(logo, ""), map: null };
  },
};

export default defineConfig(({ command }) => {
  const build = command === "build" ? buildId() : "development";
  const source = JSON.stringify({ build });
  return {
    // Calls of `h` are shorter than those of the automatic runtime, which names `children` each time.
    oxc: {
      jsx: { runtime: "classic", pragma: "h", pragmaFrag: "Fragment" },
      jsxInject: 'import { Fragment, h } from "preact";',
    },
    define: { __BUILD_ID__: JSON.stringify(build) },
    plugins: [
      dropChartLogo,
      {
        name: "build-id",
        generateBundle() {
          this.emitFile({ type: "asset", fileName: "build.json", source });
        },
      },
    ],
    build: {
      outDir: "../services/gateway/web",
      emptyOutDir: true,
      target: ["chrome123", "firefox125", "safari17.5"],
      // Inlined files would need `data:` in the policy, and Firefox preloads no module under it.
      assetsInlineLimit: 0,
      modulePreload: false,
      cssCodeSplit: false,
      license: { fileName: "licences.md" },
    },
    server: {
      host: "127.0.0.1",
      proxy: { "/v1": STACK, "/auth": STACK, "/ws": { target: STACK, ws: true } },
    },
    // The tests are pure: they leave nothing behind for each other.
    test: { environment: "node", include: ["src/**/*.test.ts"], isolate: false },
  };
});
