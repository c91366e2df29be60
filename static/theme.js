// Before the first paint: that scripts run at all, and the theme that the visitor chose, if storage can be read; else the system's.
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is blocked: the system's theme it is.
}
document.documentElement.classList.add("js");
