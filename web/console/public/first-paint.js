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
})();
