// Builds the page into the Python package, or, as `node build.mjs tests`, the tests into out/.
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

async function buildPage() {
  const target = here("../schedframe/_tools/views/page/built/");
  const licence = (await readFile(here("node_modules/uplot/LICENSE"), "utf8")).trim();
  await mkdir(target, { recursive: true });
  await build({
    entryPoints: { page: here("src/main.ts") },
    outdir: target,
    bundle: true,
    minify: true,
    charset: "utf8",
    format: "iife",
    target: "es2020",
    banner: { js: `/*! uPlot\n${licence}\n*/` },
  });
  await writeFile(`${target}LICENSES.txt`, `page.js and page.css contain uPlot, https://github.com/leeoniya/uPlot\n\n${licence}\n`);
}

async function buildTests() {
  const names = (await readdir(here("tests"))).filter((name) => name.endsWith(".test.ts"));
  await build({
    entryPoints: names.map((name) => here(`tests/${name}`)),
    outdir: here("out"),
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
  });
}

await (process.argv[2] === "tests" ? buildTests() : buildPage());
