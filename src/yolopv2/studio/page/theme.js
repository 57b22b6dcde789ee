// Light or dark: as the system says, until somebody says otherwise.

import { changed } from "./state.js";

const KEY = "yolopv2-studio-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

const chosen = () => localStorage.getItem(KEY) ?? (dark.matches ? "dark" : "light");

function apply() {
  document.documentElement.dataset.theme = chosen();
  changed("theme");
}

export function toggleTheme() {
  localStorage.setItem(KEY, chosen() === "dark" ? "light" : "dark");
  apply();
}

dark.addEventListener("change", apply);
apply();
