// Runs a Python file of this folder in the tab's own bundle under Node, and prints what an expression gives there:
// node pyodide_digest.mjs SITE BOOT_JSON FILE EXPRESSION
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [site, text, file, expression] = process.argv.slice(2);
const boot = JSON.parse(text);
const at = (url) => join(site, url);
const { loadPyodide } = await import(pathToFileURL(join(at(boot.pyodide), "pyodide.mjs")).href);
const lock = { info: { abi_version: boot.abi, arch: "wasm32", platform: boot.platform, python: boot.python, version: boot.version }, packages: {} };
const python = await loadPyodide({
  indexURL: at(boot.pyodide),
  stdLibURL: at(boot.stdlib),
  lockFileContents: lock,
  packageBaseUrl: at(boot.pyodide),
  env: { PYTHONPATH: "/app.zip", HOME: "/" },
  fsInit: async (FS) => {
    for (const name of ["app", "more", "rest"]) FS.writeFile(`/${name}.zip`, readFileSync(at(boot[name])));
  },
});
python.runPython("import sys; from playground.hosts.late import Late; sys.meta_path += [Late(str, '', name) for name in ('more', 'rest')]");
python.runPython(readFileSync(new URL(file, import.meta.url), "utf8"));
console.log(python.runPython(expression));
