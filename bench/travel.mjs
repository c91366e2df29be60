// Measures moves through time in the tab's own bundle under Node: node travel.mjs SITE COMMANDS,MOVES,REPLAYS
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [site, words] = process.argv.slice(2);
const page = readFileSync(join(site, "index.html"), "utf8");
const boot = JSON.parse(/data-boot="([^"]+)"/.exec(page)[1].replaceAll("&#34;", '"'));
const at = (url) => join(site, url);
const { loadPyodide } = await import(pathToFileURL(join(at(boot.pyodide), "pyodide.mjs")).href);
const lock = { info: { abi_version: boot.abi, arch: "wasm32", platform: boot.platform, python: boot.python, version: boot.version }, packages: {} };
const python = await loadPyodide({
  indexURL: at(boot.pyodide),
  stdLibURL: at(boot.stdlib),
  lockFileContents: lock,
  packageBaseUrl: at(boot.pyodide),
  env: { PYTHONPATH: "/app.zip:/rest.zip", HOME: "/" },
  fsInit: async (FS) => {
    FS.writeFile("/app.zip", readFileSync(at(boot.app)));
    FS.writeFile("/rest.zip", readFileSync(at(boot.rest)));
  },
});
const names = python.toPy({ __name__: "travel" });
python.runPython(readFileSync(new URL("travel.py", import.meta.url), "utf8"), { globals: names });
console.log(python.runPython(`from jinja2 import ModuleLoader\nmeasure(ModuleLoader("/app.zip/templates"), ${words})`, { globals: names }));
