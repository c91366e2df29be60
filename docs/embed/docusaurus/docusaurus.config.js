// The script in the head; the widgets are HTML from the playground's /embed, in .mdx pages by way of the component below.
export default {
  title: "Docs",
  url: "https://docs.example",
  baseUrl: "/",
  presets: [["classic", { docs: { routeBasePath: "/" } }]],
  scripts: [{ src: "PLAYGROUND/embed.js", async: true }],
};
