// Builds the pages into the Python package, or, as `node build.mjs tests`, the tests into out/.
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

async function buildPages() {
  const target = here("../schedframe/_tools/views/page/built/");
  await mkdir(target, { recursive: true });
  const licences = [await buildPage("page", "src/main.ts", target), await buildPage("design", "src/design/main.ts", target)];
  await writeFile(`${target}LICENSES.txt`, licences.join("\n"));
}

/** Build the script and the style `name`, and return the licences of the libraries that are in them. */
async function buildPage(name, entry, target) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: here("."),
    entryPoints: { [name]: here(entry) },
    outdir: target,
    bundle: true,
    minify: true,
    charset: "utf8",
    format: "iife",
    target: "es2020",
    legalComments: "none",
    metafile: true,
    write: false,
  });
  const libraries = await librariesIn(metafile);
  const texts = libraries.map(({ title, licence }) => `${title}\n\n${licence}\n`);
  for (const { path, text } of outputFiles) {
    await writeFile(path, path.endsWith(".js") ? `/*! ${texts.join("\n")}*/\n${text}` : text);
  }
  return `${name}.js and ${name}.css contain ${libraries.map(({ title }) => title).join(", ")}\n\n${texts.join("\n")}`;
}

/** Return the title and the licence of each library whose files are in a bundle. */
async function librariesIn(metafile) {
  const outputs = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  const names = outputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  const found = [...new Set(names.filter(Boolean))].sort();
  return Promise.all(
    found.map(async (name) => {
      const folder = here(`node_modules/${name}/`);
      const { version, homepage, repository } = JSON.parse(await readFile(`${folder}package.json`, "utf8"));
      const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
      if (!file) throw new Error(`${name} has no file with its licence; it cannot be in a page`);
      const address = homepage ?? (repository.url ?? repository).replace(/^git\+|\.git$/g, "");
      return { title: `${name} ${version}, ${address}`, licence: (await readFile(folder + file, "utf8")).trim() };
    }),
  );
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

await (process.argv[2] === "tests" ? buildTests() : buildPages());
