// The script in the head; the widgets are HTML from the playground's /embed, as it is, in .md pages.
import { defineConfig } from "astro/config";
import starlight from "@astrojs/starlight";

export default defineConfig({
  integrations: [starlight({ title: "Docs", head: [{ tag: "script", attrs: { src: "PLAYGROUND/embed.js", async: true } }] })],
});
