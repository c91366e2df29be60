// Compiles and packs the engine's files inside Pyodide: node compile.mjs PYODIDE_FOLDER STAGE EXTRA OUT BOOT_JSON
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

// Node would show the source line first, which in Pyodide is a megabyte, and then cut the message off.
process.on("uncaughtException", (error) => {
  console.error(String(error?.stack ?? error).split("\n").filter((line) => line.length < 500).join("\n"));
  process.exitCode = 1;
});

const [pyodide, stage, extra, out, boot] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(pyodide, "pyodide.mjs")).href);
const read = (name) => JSON.parse(readFileSync(join(pyodide, name), "utf8"));

/** A Python that sees the folders, and the files of ours that are to run in it. */
function python(files, env = {}) {
  return loadPyodide({
    indexURL: pyodide,
    env: { HOME: "/home/pyodide", ...env },
    fsInit: (FS) => {
      for (const [place, folder] of [["/stage", stage], ["/extra", extra], ["/out", out]]) {
        FS.mkdirTree(place);
        FS.mount(FS.filesystems.NODEFS, { root: folder }, place);
      }
      for (const [place, from] of Object.entries(files)) FS.writeFile(place, readFileSync(from));
    },
  });
}

const ours = (name) => join(dirname(fileURLToPath(import.meta.url)), name);
// First a Python as it comes, which compiles; then one as the tab starts it, to see what that uses; then all is packed.
const compiler = (await python({ "/home/pyodide/packing.py": ours("compile.py"), "/stdlib.zip": join(pyodide, "python_stdlib.zip") })).pyimport("packing");
compiler.program();
const program = join(out, "program.zip");
const files = { "/home/pyodide/observe.py": ours("observe.py"), "/app.zip": program, "/more.zip": program };
const tab = await python(files, { PYTHONPATH: "/app.zip:/home/pyodide:/extra" });
compiler.pack(tab.pyimport("observe").main(boot));
const lock = read("pyodide-lock.json").info;
console.log(JSON.stringify({ python: lock.python, abi: lock.abi_version, platform: lock.platform, version: read("package.json").version }));
