// Opens a page in Firefox and prints what an expression gives there: node firefox.mjs FIREFOX URL READY EXPRESSION
// READY is evaluated until it is true. Firefox speaks WebDriver BiDi by itself, so nothing stands between.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import WebSocket from "ws";

const [firefox, url, ready, expression] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), "firefox-"));
const browser = spawn(firefox, ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"], { stdio: ["ignore", "ignore", "pipe"] });
const end = (/** @type {number} */ code) => {
  browser.once("exit", () => {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    process.exit(code);
  });
  browser.kill("SIGKILL");
};
setTimeout(() => { console.error("Firefox took longer than 100 s"); end(1); }, 100_000);

let said = "";
const address = await new Promise((resolve) => {
  browser.stderr.on("data", (chunk) => {
    said += chunk;
    const found = /WebDriver BiDi listening on (ws:\S+)/.exec(said);
    if (found) resolve(found[1]);
  });
});
const socket = new WebSocket(`${address}/session`);
await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
let number = 0;
/** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
const waiting = new Map();
socket.on("message", (text) => {
  const message = JSON.parse(String(text));
  const call = waiting.get(message.id);
  if (message.type === "error") call?.reject(new Error(message.message));
  else call?.resolve(message.result);
});
const send = (/** @type {string} */ method, /** @type {object} */ params) =>
  new Promise((resolve, reject) => {
    waiting.set(++number, { resolve, reject });
    socket.send(JSON.stringify({ id: number, method, params }));
  });

try {
  await send("session.new", { capabilities: {} });
  const { context } = await send("browsingContext.create", { type: "tab" });
  await send("browsingContext.navigate", { context, url, wait: "interactive" });
  const ask = async (/** @type {string} */ text) =>
    (await send("script.evaluate", { expression: text, target: { context }, awaitPromise: true })).result?.value;
  while ((await ask(ready)) !== true) await new Promise((resolve) => setTimeout(resolve, 200));
  console.log(await ask(expression));
  end(0);
} catch (error) {
  console.error(error);
  end(1);
}
