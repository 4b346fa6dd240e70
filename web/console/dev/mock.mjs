// @ts-check
/**
 * A stand-in for the hub (or, with MOCK_SERVER=gateway, for a gateway) while the console is being worked on: the same REST
 * shapes and live stream, invented life, the servers' content policy. Never shipped. Serves `dist` too.
 *
 *     PORT=8710 node dev/mock.mjs        sign in as guard, maintenance, installer, manager or admin; password: gatehouse
 */
import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

import * as site from "./site.mjs";

const PORT = Number(process.env.PORT ?? 8710);
const GATEWAY = process.env.MOCK_SERVER === "gateway";
const SEVERAL = process.env.MOCK_SITES === "several";
const QUIET = process.env.MOCK_QUIET === "1";
const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'";

const NAMES = { guard: "刘师傅", maintenance: "张工", installer: "吴工", manager: "沈经理", admin: "系统管理员" };
const users = Object.entries(NAMES).map(([role, name]) => ({
  id: `u-${role}`,
  username: role,
  name,
  role,
  language: "zh",
  sites: ["manager", "admin"].includes(role) ? ["*"] : ["demo"],
  active: true,
}));
const sessions = new Map();
const SHAPES = readFileSync(fileURLToPath(new URL("../src/api/shapes.ts", import.meta.url)), "utf8");
const ABILITIES = JSON.parse(/ABILITIES = (\[[^\]]*\])/.exec(SHAPES)[1]);
const GATEWAY_ALONE = ["accounts.lock", "seal.renew"];
/** Here everybody may do everything that the state of a thing allows: the servers go by who asks. */
const CAN = {
  alarm: {
    active: ["alarm.ack", "alarm.shelve"],
    acknowledged: ["alarm.shelve"],
    cleared: ["alarm.ack"],
    shelved: ["alarm.unshelve"],
    closed: [],
  },
  ticket: {
    raised: ["take", "comment"],
    taken: ["take", "comment", "finish"],
    done: ["comment", "reopen"],
    closed: ["comment", "reopen"],
  },
};

/** For `JSON.stringify`: each thing with what may be done with it. */
function told(_, value) {
  if (value === null || typeof value !== "object") return value;
  if ("lock" in value && "contact" in value) return { ...value, can: ["door.unlock", "door.mode"] };
  if ("barrier" in value && "loops" in value) return { ...value, can: ["barrier.open", "barrier.close"] };
  if ("acknowledged_at" in value) return { ...value, can: CAN.alarm[value.state] };
  if ("assignee" in value && "steps" in value) return { ...value, can: GATEWAY ? [] : CAN.ticket[value.state] };
  if ("token" in value && "user" in value)
    return { ...value, can: ABILITIES.filter((one) => GATEWAY || !GATEWAY_ALONE.includes(one)) };
  return value;
}

let failures = 0;
let blockedUntil = 0;

let eventId = 5000;
let seq = 900;
const stream = randomBytes(16).toString("hex");
const events = [];
const screens = new Set();

function record(kind, source, data, at = site.at(Date.now())) {
  eventId += 1;
  seq += 1;
  const event = {
    id: eventId,
    site: "demo",
    gateway: "demo-gw",
    stream,
    seq,
    at,
    received_at: site.at(Date.parse(at) + 140),
    kind,
    source,
    data,
  };
  events.push(event);
  return event;
}

function tell(name, body, id) {
  const frame = `${id === undefined ? "" : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(body, told)}\n\n`;
  for (const screen of screens) screen.write(frame);
}

const publish = (...found) => found.length && tell("events", found, found.at(-1)?.id);
const state = (kind, item) => tell("state", { kind, ...item });

const doors = site.layout.doors.map((door) => ({
  id: door.id,
  site: "demo",
  lock: "locked",
  contact: "closed",
  mode: "normal",
  at: site.at(Date.now()),
}));
const lanes = site.layout.lanes.map((lane, place) => ({
  id: lane.id,
  site: "demo",
  barrier: "down",
  loops: { before: place === 0, under: false },
  monitored: true,
  last_plate: place ? "苏E6T932" : "沪K31008",
  last_plate_at: site.at(Date.now()),
  car: place
    ? null
    : {
        plate: "沪K31008",
        read_at: site.at(Date.now()),
        picture: null,
        stream: null,
        seq: null,
        outcome: "granted",
        holder: null,
        blocked: false,
      },
  at: site.at(Date.now()),
}));
const jobs = [
  ["retention.prune", "删除保存到期的数据", "Drop what is kept no longer", "failed", "ConnectionError: no disk left"],
  ["readings.hours", "汇总每小时读数", "Sum the readings of each hour", "waiting", ""],
].map(([name, zh, en, state, error], index) => ({
  id: index + 1,
  name,
  text: { zh, en },
  key: "",
  state,
  last_at: new Date().toISOString(),
  took_s: 0.4,
  next_at: new Date(Date.now() + 3_600_000).toISOString(),
  why: "",
  failures: error ? 12 : 0,
  error,
}));

const gateways = [
  {
    id: "demo-gw",
    site: "demo",
    online: true,
    backlog: 0,
    readings_backlog: 2,
    clock: "ok",
    clock_error_ms: 12,
    versions: { software: "0.1.0", desired: 17, site_file: "9f2c4be1a0d3" },
    seen_at: site.at(Date.now()),
  },
];
const commands = new Map();
if (SEVERAL)
  gateways.push({
    ...gateways[0],
    id: "lake-gw",
    site: "lake",
    online: false,
    backlog: 312,
    seen_at: site.at(Date.now() - 3_000_000),
  });

for (const event of site.rhythm(90)) record(event.kind, event.source, event.data, event.at);

const snapshot = () => ({
  as_of: site.at(Date.now()),
  doors,
  lanes,
  alarms: site.alarms.filter((alarm) => alarm.state !== "closed"),
  tickets: site.tickets.map((ticket) => ({ ...ticket, history: [] })),
  gateways,
  events: events.slice(-50).reverse(),
});

const later = (ms, action) => setTimeout(action, ms);

function drive(lane, end) {
  lane.barrier = "moving";
  state("lane", lane);
  later(1100, () => {
    lane.barrier = end;
    lane.at = site.at(Date.now());
    state("lane", lane);
    publish(record(end === "up" ? "barrier.opened" : "barrier.closed", lane.id, { by: "command", command: null }));
  });
}

function carryOut(command, user) {
  const by = { id: user.id, name: user.name, role: user.role };
  const step = (to) => {
    command.state = to;
    state("command", command);
  };
  later(250, () => step("sent"));
  later(700, () => {
    const lane = lanes.find((one) => one.id === command.target);
    const door = doors.find((one) => one.id === command.target);
    const alarm = site.alarms.find((one) => one.id === command.target);
    const now = site.at(Date.now());
    if (command.reason.includes("fail")) {
      command.result = { why: site.text("道闸没有应答", "The barrier did not answer") };
      step("failed");
      publish(
        record("command.failed", command.target, {
          command: command.id,
          kind: command.kind,
          target: command.target,
          by,
          reason: command.reason,
          why: command.result.why,
        }),
      );
      return;
    }
    if (lane) drive(lane, command.kind === "barrier.open" ? "up" : "down");
    if (door && command.kind === "door.unlock") {
      Object.assign(door, { lock: "released", at: now });
      state("door", door);
      later(5000, () => state("door", Object.assign(door, { lock: "locked" })));
    }
    if (door && command.kind === "door.mode")
      state("door", Object.assign(door, { mode: command.args?.mode ?? "normal" }));
    if (alarm) {
      if (command.kind === "alarm.ack")
        Object.assign(alarm, {
          state: alarm.cleared_at ? "closed" : "acknowledged",
          acknowledged_at: now,
          acknowledged_by: by,
          note: command.args?.note ?? "",
        });
      if (command.kind === "alarm.shelve")
        Object.assign(alarm, {
          state: "shelved",
          shelved_until: site.at(Date.now() + (command.args?.for_s ?? 60) * 1000),
          acknowledged_by: by,
        });
      if (command.kind === "alarm.unshelve") Object.assign(alarm, { state: "active", shelved_until: null });
      state("alarm", alarm);
    }
    step("done");
    publish(
      record("command.done", command.target, {
        command: command.id,
        kind: command.kind,
        target: command.target,
        by,
        reason: command.reason,
        why: null,
      }),
    );
  });
}

let turn = 1000;
function live() {
  turn += 1;
  publish(...site.visit(turn, Date.now()).map((event) => record(event.kind, event.source, event.data, event.at)));
  if (turn % 9 === 0) blockedCar();
  for (const point of site.points.values()) {
    if (typeof point.value !== "number" || point.value === 0) continue;
    point.value = Math.round(point.value * (1 + (Math.random() - 0.5) * 0.01) * 100) / 100;
    point.at = site.at(Date.now());
    state("point", point);
  }
}

function blockedCar() {
  const why = site.reason(
    "blocked_plate",
    "黑名单车辆：多次冲闸、拒付停车费",
    "Blocked vehicle: ran the barrier, refused to pay",
  );
  publish(
    ...site
      .car("gate-in", "粤B88888", null, "access.denied", "block:b-1", why, Date.now(), "in")
      .map((event) => record(event.kind, event.source, event.data, event.at)),
  );
}

if (!QUIET) setInterval(live, 4000);
setInterval(() => screens.forEach((screen) => screen.write(": beat\n\n")), 10_000);

class Refused extends Error {
  constructor(status, code, zh, en, fields = {}, headers = {}) {
    super(en);
    Object.assign(this, { status, code, zh, en, fields, headers });
  }
}
const notFound = () => new Refused(404, "not_found", "不存在", "There is no such thing");

async function body(request) {
  let found = "";
  for await (const chunk of request) found += chunk;
  return found ? JSON.parse(found) : {};
}

const nouns = {
  holders: site.holders,
  credentials: site.credentials,
  grants: site.grants,
  schedules: site.schedules,
  blocks: site.blocks,
};

const page = (items) => ({ items, next: null });

/** path → answer. @type {[string, RegExp, (match: RegExpMatchArray, user: any, query: URLSearchParams, said: any) => any][]} */
const routes = [
  [
    "GET",
    /^site$/,
    (_, __, query) =>
      query.get("site") === "lake"
        ? { ...site.layout, site: "lake", name: site.text("湖畔花园", "Lakeside"), lanes: [], doors: [] }
        : site.layout,
  ],
  [
    "GET",
    /^sites$/,
    () =>
      page([
        { id: "demo", name: site.layout.name, timezone: "Asia/Shanghai", described: true, posts: [] },
        ...(SEVERAL
          ? [
              {
                id: "lake",
                name: site.text("湖畔花园", "Lakeside"),
                timezone: "Asia/Shanghai",
                described: true,
                posts: [],
              },
            ]
          : []),
      ]),
  ],
  [
    "GET",
    /^overview\/numbers$/,
    () =>
      page([
        {
          key: "alarms",
          name: { zh: "未恢复告警", en: "Alarms not cleared" },
          definition: { zh: "原因仍然存在的告警。", en: "Alarms whose cause is still there." },
          rows: "/alarms?state=acknowledged,active,shelved",
        },
        {
          key: "denied",
          name: { zh: "今日拒绝", en: "Refusals today" },
          definition: { zh: "自零点起的拒绝次数。", en: "Refusals since midnight." },
          rows: "/history?outcome=refused",
        },
      ]),
  ],
  [
    "GET",
    /^overview$/,
    () =>
      page([
        {
          site: "demo",
          reported: true,
          gateways_offline: 0,
          as_of: null,
          alarms: { critical: 1, major: 1, minor: 0, warning: 0 },
          tickets: 2,
          doors_open: 1,
          denied: 3,
          denied_since: new Date(Date.now() - 86_400_000).toISOString(),
        },
        ...(SEVERAL
          ? [{ site: "lake", reported: false, gateways_offline: null, as_of: null, alarms: null, tickets: 0, doors_open: null, denied: null, denied_since: new Date().toISOString() }]
          : []),
      ]),
  ],
  ["GET", /^doors$/, () => page(doors)],
  ["GET", /^lanes$/, () => page(lanes)],
  ["GET", /^gateways$/, () => page(gateways)],
  ["GET", /^journal$/, () => ({ stream, first: 1, last: seq, acked: seq - 41 })],
  ["GET", /^points$/, () => page([...site.points.values()])],
  ["GET", /^meters$/, () => page(site.meters())],
  [
    "GET",
    /^readings$/,
    (_, __, query) => {
      const point = site.points.get(query.get("point") ?? "");
      if (!point) throw notFound();
      const [from, to] = [Date.parse(query.get("from") ?? ""), Date.parse(query.get("to") ?? "")];
      const step = Number(query.get("step") ?? 10) * 1000;
      const items = [];
      for (let moment = from; moment < to; moment += step) {
        const value =
          typeof point.value === "number"
            ? point.value * (1 + 0.08 * Math.sin(moment / 900_000) + 0.02 * Math.sin(moment / 61_000))
            : point.value;
        items.push({ at: site.at(moment), value, quality: "good" });
      }
      return { ...page(items), id: point.id, site: "demo", unit: point.unit, step: null, agg: null };
    },
  ],
  [
    "GET",
    /^events$/,
    (_, __, query) => {
      const kinds = query.getAll("kind");
      const before = Number(query.get("before") ?? Infinity);
      const limit = Number(query.get("limit") ?? 50);
      const found = events
        .filter((event) => event.id < before && (!kinds.length || kinds.includes(event.kind)))
        .reverse();
      return { items: found.slice(0, limit), next: found.length > limit ? found[limit - 1].id : null };
    },
  ],
  [
    "GET",
    /^alarms$/,
    (_, __, query) => page(site.alarms.filter((alarm) => !query.get("state") || alarm.state === query.get("state"))),
  ],
  [
    "POST",
    /^alarms\/([^/]+)\/(ack|shelve|unshelve)$/,
    (match, user, _, said) =>
      newCommand(
        { target: match[1], kind: `alarm.${match[2]}`, site: "demo", reason: said.note || "-", ttl_s: 30, args: said },
        user,
      ),
  ],
  ["GET", /^tickets$/, () => page(site.tickets.map((ticket) => ({ ...ticket, history: [] })))],
  ["GET", /^tickets\/([^/]+)$/, (match) => ticketOf(match[1])],
  [
    "POST",
    /^tickets$/,
    (_, user, __, said) => {
      const title = typeof said.title === "string" ? site.text(said.title, said.title) : said.title;
      const now = site.at(Date.now());
      const ticket = {
        id: randomUUID(),
        site: said.site,
        number: 1043 + site.tickets.length,
        alarm: null,
        asset: said.asset,
        cause: "manual",
        severity: said.severity,
        title,
        place: said.place,
        state: "raised",
        assignee: null,
        raised_at: now,
        updated_at: now,
        closed_at: null,
        count: 1,
        history: [],
        response: null,
        steps: [{ at: now, by: { id: user.id, name: user.name, role: user.role }, step: "opened", text: said.text }],
      };
      site.tickets.push(ticket);
      state("ticket", ticket);
      return ticket;
    },
  ],
  [
    "POST",
    /^tickets\/([^/]+)\/(take|comment|finish|reopen)$/,
    (match, user, _, said) => {
      const ticket = ticketOf(match[1]);
      const by = { id: user.id, name: user.name, role: user.role };
      const [name, to] = {
        take: ["taken", "taken"],
        comment: ["commented", ticket.state],
        finish: ["finished", "done"],
        reopen: ["reopened", "taken"],
      }[match[2]] ?? ["", ""];
      Object.assign(ticket, {
        state: to,
        updated_at: site.at(Date.now()),
        assignee: match[2] === "take" ? by : ticket.assignee,
        steps: [
          ...ticket.steps,
          {
            at: site.at(Date.now()),
            by,
            step: name,
            text: said.text ?? [said.found, said.done].filter(Boolean).join("\n"),
          },
        ],
      });
      state("ticket", { ...ticket, history: [] });
      return ticket;
    },
  ],
  [
    "POST",
    /^commands$/,
    (_, user, __, said) => {
      if (!said.reason?.trim())
        throw new Refused(422, "invalid", "请检查输入", "Please check the input", { reason: "必填" });
      return newCommand(said, user);
    },
  ],
  ["GET", /^commands\/(.+)$/, (match) => commands.get(match[1]) ?? fail()],
  ["GET", /^changes$/, () => page([])],
  ["GET", /^retention$/, () => page([])],
  ["GET", /^jobs$/, () => page(jobs)],
  ["POST", /^jobs\/(\d+)\/run$/, (match) => jobs.find((job) => job.id === Number(match[1])) ?? fail()],
  ["GET", /^accounts$/, () => page(users)],
  ["POST", /^accounts\/self\/password$/, () => undefined],
  ["POST", /^accounts$/, (_, __, ___, said) => (users.push({ ...said, id: randomUUID() }), users.at(-1))],
  [
    "PUT",
    /^accounts\/(.+)$/,
    (match, _, __, said) => Object.assign(users.find((user) => user.id === match[1]) ?? fail(), said),
  ],
  [
    "GET",
    /^holders\/([^/]+)$/,
    (match) => {
      const holder = site.holders.find((one) => one.id === match[1]) ?? fail();
      return {
        ...holder,
        credentials: site.credentials.filter((one) => one.holder === holder.id),
        grants: site.grants.filter((one) => one.holder === holder.id),
      };
    },
  ],
  [
    "GET",
    /^(holders|credentials|grants|schedules|blocks)$/,
    (match, _, query) => {
      const q = (query.get("q") ?? "").toLowerCase();
      const found = nouns[match[1]].filter(
        (one) =>
          (!q ||
            [one.name, one.unit, one.value].some(
              (word) => typeof word === "string" && word.toLowerCase().includes(q),
            )) &&
          (!query.get("kind") || one.kind === query.get("kind")),
      );
      return page(found);
    },
  ],
  [
    "POST",
    /^(holders|credentials|grants|blocks)$/,
    (match, _, __, said) => (nouns[match[1]].push({ ...said, id: randomUUID().slice(0, 8) }), nouns[match[1]].at(-1)),
  ],
  [
    "PUT",
    /^(holders|credentials|grants|blocks)\/(.+)$/,
    (match, _, __, said) => Object.assign(nouns[match[1]].find((one) => one.id === match[2]) ?? fail(), said),
  ],
  [
    "DELETE",
    /^(holders|credentials|grants|blocks)\/(.+)$/,
    (match) =>
      void nouns[match[1]].splice(
        nouns[match[1]].findIndex((one) => one.id === match[2]),
        1,
      ),
  ],
];

function fail() {
  throw notFound();
}
const ticketOf = (id) => site.tickets.find((ticket) => ticket.id === id) ?? fail();

function newCommand(said, user) {
  const command = {
    id: randomUUID(),
    site: said.site,
    target: said.target,
    kind: said.kind,
    reason: said.reason,
    args: said.args ?? {},
    state: "asked",
    by: { id: user.id, name: user.name, role: user.role },
    issued_at: site.at(Date.now()),
    expires_at: site.at(Date.now() + (said.ttl_s ?? 15) * 1000),
    result: null,
  };
  commands.set(command.id, command);
  carryOut(command, user);
  return command;
}

function signIn(said) {
  if (Date.now() < blockedUntil)
    throw new Refused(
      429,
      "too_many",
      "请求过于频繁",
      "Too many requests",
      {},
      { "Retry-After": String(Math.ceil((blockedUntil - Date.now()) / 1000)) },
    );
  const user = users.find((one) => one.username === said.username && said.password === "gatehouse");
  if (!user) {
    failures += 1;
    if (failures % 5 === 0) blockedUntil = Date.now() + 15_000;
    throw new Refused(401, "wrong_credentials", "用户名或密码错误", "Wrong user name or password");
  }
  const token = randomUUID();
  sessions.set(token, user);
  return { token, user };
}

const about = () =>
  GATEWAY
    ? {
        server: "gateway",
        site: "demo",
        version: "0.1.0",
        hub_connected: false,
        working_alone_since: site.at(Date.now() - 3_400_000),
        backlog: 41,
      }
    : { server: "hub", site: null, version: "0.1.0", hub_connected: null, working_alone_since: null, backlog: null };

async function answer(request, response) {
  const url = new URL(request.url ?? "/", "http://mock");
  if (!url.pathname.startsWith("/api/")) return serve(url.pathname, response);
  const path = url.pathname.slice(5);
  const token = /gatehouse=([^;]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
  const json = (status, found, headers = {}) =>
    response
      .writeHead(status, { "Content-Type": "application/json", ...headers })
      .end(found === undefined ? "" : JSON.stringify(found, told));
  if (path === "about") return json(200, about());
  if (path === "session" && request.method === "POST") {
    const opened = signIn(await body(request));
    return json(200, opened, { "Set-Cookie": `gatehouse=${opened.token}; Path=/; HttpOnly; SameSite=Strict` });
  }
  const user = sessions.get(token);
  if (!user) throw new Refused(401, "unauthorized", "请先登录", "Sign in first");
  if (path === "session") {
    if (request.method === "DELETE") sessions.delete(token);
    return json(200, { token: null, user });
  }
  if (path === "live") {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.write(`id: ${eventId}\nevent: snapshot\ndata: ${JSON.stringify(snapshot(), told)}\n\n`);
    screens.add(response);
    request.on("close", () => screens.delete(response));
    return undefined;
  }
  if (path.startsWith("pictures/"))
    return response.writeHead(200, { "Content-Type": "image/svg+xml" }).end(site.picture(path.slice(9)));
  if (path === "mock/screens") return json(200, screens.size);
  if (path === "mock/blocked") return json(200, blockedCar());
  for (const [method, pattern, give] of routes) {
    const match = method === request.method ? pattern.exec(path) : null;
    if (match)
      return json(
        method === "POST" && /^(commands|alarms)/.test(path) ? 202 : 200,
        give(match, user, url.searchParams, method === "GET" ? {} : await body(request)),
      );
  }
  throw notFound();
}

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

async function serve(path, response) {
  const file = path.includes(".") ? path : "/index.html";
  try {
    const found = await readFile(join(DIST, normalize(file)));
    response
      .writeHead(200, {
        "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
        "Content-Security-Policy": POLICY,
      })
      .end(found);
  } catch {
    response.writeHead(404).end();
  }
}

createServer((request, response) => {
  answer(request, response).catch((error) => {
    const english = (request.headers["accept-language"] ?? "").startsWith("en");
    const { status = 500, code = "internal", fields = {}, headers = {} } = error;
    if (status === 500) console.error(error);
    response
      .writeHead(status, { "Content-Type": "application/json", ...headers })
      .end(
        JSON.stringify({
          error: { code, message: english ? (error.en ?? String(error)) : (error.zh ?? String(error)), fields },
        }),
      );
  });
}).listen(PORT, "127.0.0.1", () => console.log(`mock ${GATEWAY ? "gateway" : "hub"} on http://127.0.0.1:${PORT}`));
