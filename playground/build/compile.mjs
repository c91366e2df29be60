// Runs compile.py inside Pyodide: node compile.mjs PYODIDE_FOLDER STAGE EXTRA OUT BOOT_JSON
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [pyodide, stage, extra, out, boot] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(pyodide, "pyodide.mjs")).href);
const python = await loadPyodide({ indexURL: pyodide });
for (const [place, folder] of [["/stage", stage], ["/extra", extra], ["/out", out]]) {
  python.FS.mkdirTree(place);
  python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, place);
}
python.FS.writeFile("/stdlib.zip", readFileSync(join(pyodide, "python_stdlib.zip")));
python.FS.writeFile("/home/pyodide/compile_bundle.py", readFileSync(join(dirname(fileURLToPath(import.meta.url)), "compile.py")));
const facts = JSON.parse(python.pyimport("compile_bundle").main(boot));
const read = (name) => JSON.parse(readFileSync(join(pyodide, name), "utf8"));
const lock = read("pyodide-lock.json").info;
console.log(JSON.stringify({ ...facts, abi: lock.abi_version, platform: lock.platform, version: read("package.json").version }));
