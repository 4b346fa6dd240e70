// Before the first paint, and before the console's own files are here. Kept apart: no inline scripts.
(function () {
  function remembered(name) {
    try {
      return localStorage.getItem("gatehouse." + name);
    } catch (error) {
      return null; // storage is forbidden
    }
  }

  // A dark console never flashes white at night.
  var theme = remembered("theme"); // none: follow the system
  var dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);

  // Asked while the console is still on its way, and before any file: a browser asks one server only so much at once.
  var site = new URLSearchParams(location.search).get("site") || remembered("site");
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

  // The page's own files come beside the frame's, not after them. Which those are, the build says: page (or language) to files.
  var parts = window.gatehouseParts || {};
  function fetchAhead(part) {
    (parts[part] || []).forEach(function (file) {
      var link = document.createElement("link");
      var style = /\.css$/.test(file);
      link.rel = style ? "preload" : "modulepreload";
      if (style) link.as = "style";
      link.crossOrigin = ""; // as the console itself asks for them: one answer for both
      link.href = "/assets/" + file;
      document.head.append(link);
    });
  }
  if (remembered("language") === "en") fetchAhead("en");
  fetchAhead("/" + location.pathname.split("/")[1]);
  window.gatehouseStart.then(function (start) {
    if (start && !start.session) fetchAhead("/sign-in");
  });
})();
