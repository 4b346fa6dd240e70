/// <reference types="vitest/config" />
import vue from "@vitejs/plugin-vue";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, defineConfig, type Plugin, type Rolldown } from "vite";

const api = process.env.GATEHOUSE_API ?? "http://127.0.0.1:8080";

const own = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Files of the build, as the server names them, in a settled order. */
function filesOf(dist: string): string[] {
  const names = readdirSync(dist, { recursive: true, encoding: "utf8" });
  return names.filter((name) => /\.(js|css|svg|png|html|webmanifest)$/.test(name)).map((name) => `/${name}`).sort();
}

/** Of each page and of the language that is fetched: the files that the frame does not bring. */
type Parts = Record<string, string[]>;

const PAGE = /path: "(\/[^":]+)",\s+component: \(\) => import\("@\/([^"]+)"\)/g;

/** Which module each page is, as areas and router say it. */
function pageModules(root: string): Map<string, string> {
  const areas = readdirSync(join(root, "src/areas")).map((area) => join(root, "src/areas", area, "area.ts"));
  const found = [...areas, join(root, "src/shell/router.ts")].flatMap((file) => [...readFileSync(file, "utf8").matchAll(PAGE)]);
  return new Map([...found.map(([, path = "", module = ""]) => [path, join(root, "src", module)] as const), ["en", join(root, "src/locales/en.json")]]);
}

function partsOf(root: string, bundle: Rolldown.OutputBundle): Parts {
  const chunks = new Map(Object.values(bundle).flatMap((each) => (each.type === "chunk" ? [[each.fileName, each] as const] : [])));
  const withImports = (file: string, seen = new Set<string>()): Set<string> => {
    if (!seen.has(file)) {
      seen.add(file);
      for (const other of chunks.get(file)?.imports ?? []) withImports(other, seen);
    }
    return seen;
  };
  const entries = [...chunks.values()].filter((chunk) => chunk.isEntry).flatMap((chunk) => [...withImports(chunk.fileName)]);
  const parts: Parts = {};
  for (const [name, module] of pageModules(root)) {
    const chunk = [...chunks.values()].find((each) => each.facadeModuleId === module);
    if (!chunk) throw new Error(`${name} has no file of its own`);
    const scripts = [...withImports(chunk.fileName)].filter((file) => !entries.includes(file));
    const library = scripts.find((file) => chunks.get(file)?.moduleIds.some((id) => id.includes("/element-plus/")));
    if (name === "/guard" && library) throw new Error(`the guard's page brings the component library: ${library}`);
    const styles = scripts.flatMap((file) => [...(chunks.get(file)?.viteMetadata?.importedCss ?? [])]);
    parts[name] = [...scripts, ...styles].map((file) => file.replace(/^assets\//, ""));
  }
  return parts;
}

/**
 * What the page asks for first gets a name by its content, so that it is not asked for again; what the app begins only
 * once it runs (the worker of its stream) is fetched beside it.
 */
function beginEarly(dist: string, parts: Parts): void {
  const page = join(dist, "index.html");
  const plain = readFileSync(join(dist, "first-paint.js"), "utf8");
  const stream = readdirSync(join(dist, "assets")).find((file) => /^shared-worker-.*\.js$/.test(file));
  if (!stream) throw new Error("the worker of the live stream is not there");
  const first = plain.replace("window.gatehouseParts || {}", JSON.stringify({ ...parts, stream: [stream] }));
  if (first === plain) throw new Error("first-paint.js asks for no parts");
  const name = `assets/first-paint-${createHash("sha256").update(first).digest("hex").slice(0, 8)}.js`;
  writeFileSync(join(dist, name), first);
  rmSync(join(dist, "first-paint.js"));
  const html = readFileSync(page, "utf8");
  const named = html.replace("/first-paint.js", `/${name}`);
  if (named === html) throw new Error("the page has no first-paint.js");
  const ahead = `<link rel="modulepreload" href="/assets/${stream}" />\n  </head>`;
  writeFileSync(page, named.replace("</head>", ahead));
}

/** Which of the console's files bring the component library: they import it, or what does. A chunk that holds one needs all of it. */
function bringers(src: string): Set<string> {
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => /\.(vue|ts)$/.test(name)).map((name) => join(src, name));
  const fileOf = (to: string): string => (to.startsWith("@/") ? join(src, to.slice(2)) : to).replace(/^(\/.*\/[^./]+)$/, "$1.ts");
  const imports = files.map((file) => {
    const found = readFileSync(file, "utf8").matchAll(/^(?:import|export) (?!type )(?:[^;"']+ from )?"([^"]+)"/gm);
    return [file, [...found].map(([, to = ""]) => fileOf(to))] as const;
  });
  const bring = new Set<string>();
  for (let before = -1; before !== bring.size; ) {
    before = bring.size;
    for (const [file, named] of imports) if (named.some((to) => to === "element-plus" || bring.has(to))) bring.add(file);
  }
  return bring;
}

const BRINGERS = bringers(own("./src"));

/** Names the release in its page, and builds the worker that holds it without a server. */
async function holdOffline(root: string, dist: string): Promise<void> {
  const files = filesOf(dist);
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update(readFileSync(join(dist, file)));
  const release = hash.digest("hex").slice(0, 16);
  const page = join(dist, "index.html");
  writeFileSync(page, readFileSync(page, "utf8").replace("<title>", `<meta name="release" content="${release}" />\n    <title>`));
  await build({
    configFile: false,
    root,
    logLevel: "warn",
    define: { RELEASE: JSON.stringify(release), FILES: JSON.stringify(files) },
    build: {
      target: "es2022",
      outDir: dist,
      emptyOutDir: false,
      copyPublicDir: false,
      rolldownOptions: { input: join(root, "worker/offline.ts"), output: { entryFileNames: "sw.js", format: "iife" } },
    },
  });
}

/** Lays packed copies beside the files: the servers send them as they are, a gateway's small processor packs nothing. */
function pack(dist: string): void {
  for (const name of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
    if (!/\.(js|css|svg|html)$/.test(name)) continue;
    const file = join(dist, name);
    const plain = readFileSync(file);
    if (plain.length < 1024) continue;
    writeFileSync(`${file}.gz`, gzipSync(plain, { level: 9 }));
    writeFileSync(`${file}.br`, brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  }
}

/** What is done to the files of the build once they are all there. */
function shipped(): Plugin {
  let [base, dist] = ["", ""];
  let parts: Parts = {};
  return {
    name: "gatehouse-shipped",
    apply: "build",
    configResolved({ root, build: { outDir } }) {
      [base, dist] = [root, resolve(root, outDir)];
    },
    generateBundle(_, bundle) {
      if (this.environment.name === "client") parts = partsOf(base, bundle);
    },
    async closeBundle() {
      beginEarly(dist, parts);
      await holdOffline(base, dist);
      pack(dist);
    },
  };
}

export default defineConfig({
  plugins: [vue(), shipped()],
  resolve: {
    alias: [
      { find: "@", replacement: own("src") },
      // The component library with its styles: both come with the first thing that uses it, not with the first page.
      { find: /^element-plus$/, replacement: own("src/kit/elements.ts") },
      // Its forms check by rules, and ours never: each says itself what is wrong.
      { find: "async-validator", replacement: own("src/kit/form/no-rules.ts") },
      // Nor is any of its buttons given a colour, from which it would reckon others.
      { find: "@ctrl/tinycolor", replacement: own("src/kit/no-colours.ts") },
    ],
  },
  define: {
    __VUE_OPTIONS_API__: "true", // Element Plus still needs it
  },
  worker: { format: "es" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the servers' content policy knows no data: scripts
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 900,
    // What every page needs comes in two files, not in thirty: they pack better, and the libraries outlive a release.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "libraries", tags: ["$initial"], test: /node_modules/ },
            { name: "start", tags: ["$initial"] },
            // What most pages use comes with the first that does, in one file: each file is a question of its own.
            {
              name: "parts",
              test: (id) => /console\/src\/(?!styles\/|kit\/elements)/.test(id) && !BRINGERS.has(id.split("?")[0] ?? ""),
              minShareCount: 3,
              maxModuleSize: 9000,
            },
            { name: "elements", test: /node_modules|console\/src\/(kit|styles)\//, minShareCount: 6 },
          ],
        },
      },
    },
  },
  server: { host: "127.0.0.1", proxy: { "/api": { target: api, changeOrigin: false } } },
  test: { environment: "happy-dom", include: ["tests/**/*.test.ts"], setupFiles: ["tests/languages.ts"] },
});
