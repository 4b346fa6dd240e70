// Before the first paint, so that a dark console never flashes white at night. Kept apart: no inline scripts.
(function () {
  var theme = null;
  try {
    theme = localStorage.getItem("gatehouse.theme");
  } catch (error) {
    theme = null; // storage is forbidden: follow the system
  }
  var dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
  // Asked while the console is still on its way: with a slow radio that is a second earlier.
  var site = new URLSearchParams(location.search).get("site");
  try {
    site = site || localStorage.getItem("gatehouse.site");
  } catch (error) {
    site = site || null;
  }
  window.gatehouseStart = fetch("/api/start" + (site ? "?site=" + encodeURIComponent(site) : ""), {
    headers: { Accept: "application/json" },
    cache: "no-store",
  }).then(
    function (answer) {
      return answer.ok ? answer.json() : null;
    },
    function () {
      return null;
    },
  );
})();
