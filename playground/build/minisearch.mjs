// The search's library, as the page imports it (`playground.packages`).
export { default } from "minisearch";
