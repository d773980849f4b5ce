"use strict";
// Before the page is drawn, so that it does not change its colours afterwards.
(() => {
  const kept = window.localStorage.getItem("phraseproof-theme");
  if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
})();
