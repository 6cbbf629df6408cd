// The theme, before anything is drawn: what was chosen here, else what the system has; and the switches of the header.
"use strict";

const dark = window.matchMedia("(prefers-color-scheme: dark)");

function chosenTheme() {
  const found = document.cookie.match(/(?:^|; )smartdoh_theme=(light|dark)/);
  return found ? found[1] : "auto";
}

function applyTheme() {
  const chosen = chosenTheme();
  const root = document.documentElement;
  root.dataset.chosen = chosen;
  root.dataset.theme = chosen === "auto" ? (dark.matches ? "dark" : "light") : chosen;
  if (typeof setDark === "function") setDark(root.dataset.theme === "dark");
}

function keepChoice(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Path=/; Max-Age=31536000; SameSite=Strict${secure}`;
}

window.nextTheme = () => {
  const order = ["auto", "light", "dark"];
  keepChoice("smartdoh_theme", order[(order.indexOf(chosenTheme()) + 1) % order.length]);
  applyTheme();
};

window.chooseLanguage = (code) => {
  keepChoice("smartdoh_language", code);
  location.reload();
};

window.leave = () => fetch("/logout", { method: "POST" }).then(() => location.assign("/login"));

dark.addEventListener("change", applyTheme);
applyTheme();
