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
    signal: AbortSignal.timeout(8000), // a network that swallows everything is one that is not there
  })
    .then(function (answer) {
      return answer.ok ? answer.json() : null;
    })
    .catch(function () {
      return undefined; // no answer at all
    });

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

  // The stream begins in the worker that all tabs share, and waits there for whoever takes it (live/connect.ts): at once where
  // it is known what was shown last, else as soon as the server has said what there is.
  function beginStream(url, who) {
    var stream = { url: url, who: who, release: function () {} };
    stream.worker = new SharedWorker("/assets/" + parts.stream[0], { type: "module", name: "gatehouse-live" });
    stream.worker.onerror = function () {
      stream.failed = true;
    };
    function open(lock) {
      stream.worker.port.postMessage({ do: "open", url: stream.url, who: stream.who, lock: lock });
    }
    if (navigator.locks) {
      // Held as long as the tab lives, so that the worker notices a crash.
      var lock = "gatehouse-tab-" + crypto.randomUUID();
      navigator.locks.request(lock, function () {
        open(lock);
        return new Promise(function (resolve) {
          stream.release = resolve;
        });
      });
    } else open(null);
    window.gatehouseStream = stream;
  }
  function endStream() {
    var stream = window.gatehouseStream;
    window.gatehouseStream = undefined;
    if (!stream) return;
    stream.worker.port.postMessage({ do: "close" });
    stream.release();
  }
  function shownFirst(start) {
    var known = start.sites.map(function (each) {
      return each.id;
    });
    var shown = known.length === 1 ? known[0] : known.includes(site) ? site : null;
    if (start.about.server === "gateway") shown = start.about.site;
    return "/api/live" + (shown === null ? "" : "?" + new URLSearchParams({ site: shown }));
  }

  var begins = parts.stream && typeof SharedWorker === "function" && remembered("wants-out") === null;
  function known(name) {
    var found = JSON.parse(remembered("known." + name) || "null"); // kit/remembered.ts: gone with whoever signs out
    return found && found.value;
  }
  var last = known("session");
  var before = last && known("stream");
  if (begins && before) beginStream(before, last.user.id);
  window.gatehouseStart.then(function (start) {
    var wanted = start && start.session && shownFirst(start);
    var who = wanted && start.session.user.id;
    var right = wanted === before && last !== null && last.user.id === who;
    if (window.gatehouseStream && !right) endStream();
    if (start && !start.session) fetchAhead("/sign-in");
    // Taken already: the console was faster than this answer.
    else if (wanted && begins && !window.gatehouseStream && !right) beginStream(wanted, who);
  });
})();
