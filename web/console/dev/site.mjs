// @ts-check
/** The demo site as the mock server tells of it: layout, people, alarms, tickets, values. Made-up, but of the right shapes. */

/** @param {string} zh @param {string} en */
export const text = (zh, en) => ({ zh, en });
/** @param {number} ms */
export const at = (ms) => new Date(ms).toISOString();

const device = (id, zh, en, kind, profile, bus, place = null) => ({
  id,
  name: text(zh, en),
  kind,
  profile,
  bus,
  place,
});
const point = (id, zh, en, unit, type = "number", more = {}) => ({
  id,
  device: id.split(".")[0],
  name: text(zh, en),
  type,
  unit,
  ...more,
});
const PUMP_HOUSE = text("泵房", "Pump house");
const GARAGE = text("地下车库", "Garage");
const LIFT_DOOR = {
  closed: text("关门到位", "closed"),
  opening: text("开门中", "opening"),
  open: text("开门到位", "open"),
  closing: text("关门中", "closing"),
};
const PUMP_ALARMS = { none: text("无", "none"), overload: text("过载", "overload"), dry_running: text("干转", "dry running") };

export const layout = {
  site: "demo",
  gateway: "demo-gw",
  name: text("云杉苑", "Spruce Court"),
  timezone: "Asia/Shanghai",
  fingerprint: "9f2c4be1a0d3",
  doors: [
    { id: "lobby-a", name: text("A 座大堂", "Lobby A"), readers: ["lobby-a-in", "lobby-a-out"], zones: ["block-a"] },
    { id: "lobby-b", name: text("B 座大堂", "Lobby B"), readers: ["lobby-b-in"], zones: ["block-b"] },
    { id: "garage", name: text("车库人行门", "Garage door"), readers: ["garage-in", "garage-out"], zones: ["parking"] },
    { id: "pump-house", name: PUMP_HOUSE, readers: ["pump-house-in"], zones: ["plant"] },
  ],
  lanes: [
    {
      id: "gate-in",
      name: text("东门入口", "East gate entry"),
      direction: "in",
      camera: "gate-in-cam",
      can_close: true,
      zones: ["parking"],
    },
    {
      id: "gate-out",
      name: text("东门出口", "East gate exit"),
      direction: "out",
      camera: "gate-out-cam",
      can_close: true,
      zones: ["parking"],
    },
  ],
  zones: [
    { id: "block-a", name: text("A 座", "Block A") },
    { id: "block-b", name: text("B 座", "Block B") },
    { id: "plant", name: text("设备区", "Plant rooms") },
    { id: "parking", name: text("停车场", "Parking") },
  ],
  devices: [
    device("relay-doors", "门控继电器", "Door relays", "relay", "waveshare_eth_relay8_di8", "doors-net"),
    device("barrier-in", "入口道闸", "Entry barrier", "barrier", "came_gard_ptx", "barrier-in-net"),
    device("gate-in-cam", "入口相机", "Entry camera", "camera", "zhenshi_plate_camera", "cameras"),
    device("lobby-a-in", "A 座大堂进门读头", "Lobby A entry reader", "reader", "line_reader", "lobby-a-in-line"),
    device("lift-1", "1 号电梯", "Lift 1", "elevator", "elevator_monitor", "lifts-net", text("A 座", "Block A")),
    device("lift-2", "2 号电梯", "Lift 2", "elevator", "elevator_monitor", "lifts-net", text("B 座", "Block B")),
    device("pump-1", "1 号生活水泵", "Pump 1", "pump", "grundfos_cim200", "plant-line", PUMP_HOUSE),
    device("pump-2", "2 号生活水泵", "Pump 2", "pump", "grundfos_cim200", "plant-line", PUMP_HOUSE),
    device("sump-1", "集水坑", "Sump", "level", "generic_level_485", "plant-line", PUMP_HOUSE),
    device("fan-1", "车库排风机", "Garage exhaust fan", "drive", "invt_goodrive", "garage-net", GARAGE),
    device(
      "meter-main",
      "总电表",
      "Main electricity meter",
      "meter",
      "eastron_sdm630",
      "meters-net",
      text("配电间", "Switch room"),
    ),
    device("meter-water", "总水表", "Main water meter", "meter", "xintai_water_meter", "meters-net", PUMP_HOUSE),
    device("garage-co", "车库一氧化碳", "Garage CO", "sensor", "mqtt_co_sensor", "garage-mqtt", GARAGE),
    device("garage-climate", "车库温湿度", "Garage climate", "sensor", "mqtt_climate_sensor", "garage-mqtt", GARAGE),
  ],
  points: [
    point("lift-1.floor", "楼层", "Floor", ""),
    point("lift-1.door", "轿门", "Car door", "", "label", { labels: LIFT_DOOR }),
    point("lift-1.running", "运行", "Running", "", "flag"),
    point("lift-1.trapped", "困人呼叫", "People call", "", "flag"),
    point("lift-2.floor", "楼层", "Floor", ""),
    point("lift-2.running", "运行", "Running", "", "flag"),
    ...["pump-1", "pump-2"].flatMap((pump) => [
      point(`${pump}.flow`, "流量", "Flow", "m³/h"),
      point(`${pump}.head`, "扬程", "Head", "m"),
      point(`${pump}.power`, "功率", "Power", "W"),
      point(`${pump}.speed`, "转速", "Speed", "rpm", "number", { writable: pump === "pump-1" }),
      point(`${pump}.rotating`, "运转", "Rotating", "", "flag"),
      point(`${pump}.alarm_code`, "报警代码", "Alarm code", "", "label", { labels: PUMP_ALARMS }),
    ]),
    point("sump-1.level", "液位", "Level", "m"),
    point("fan-1.frequency", "频率", "Frequency", "Hz"),
    point("fan-1.current", "电流", "Current", "A"),
    point("meter-main.power", "总有功功率", "Total power", "kW"),
    point("meter-main.voltage_l1", "A 相电压", "Voltage L1", "V"),
    point("meter-main.energy_import", "正向有功电能", "Energy import", "kWh"),
    point("meter-water.volume_forward", "正向累计", "Volume forward", "m³"),
    point("garage-co.co", "一氧化碳", "Carbon monoxide", "ppm"),
    point("garage-climate.temperature", "温度", "Temperature", "°C"),
    point("garage-climate.humidity", "湿度", "Humidity", "%"),
  ],
  meters: [
    {
      id: "meter-main",
      name: text("总用电", "Electricity"),
      point: "meter-main.energy_import",
      register: "energy_import",
      meter_no: "20260001",
    },
    {
      id: "meter-water",
      name: text("总用水", "Water"),
      point: "meter-water.volume_forward",
      register: "volume_forward",
      meter_no: "30260001",
    },
  ],
};

const VALUES = {
  "lift-1.floor": 7,
  "lift-1.door": "closed",
  "lift-1.running": true,
  "lift-1.trapped": false,
  "lift-2.floor": 1,
  "lift-2.running": false,
  "pump-1.flow": 27.4,
  "pump-1.head": 41.2,
  "pump-1.power": 4310,
  "pump-1.speed": 2874,
  "pump-1.rotating": true,
  "pump-1.alarm_code": "none",
  "pump-2.flow": 0,
  "pump-2.head": 0,
  "pump-2.power": 12,
  "pump-2.speed": 0,
  "pump-2.rotating": false,
  "pump-2.alarm_code": "overload",
  "sump-1.level": 0.84,
  "fan-1.frequency": 35,
  "fan-1.current": 6.21,
  "meter-main.power": 184.72,
  "meter-main.voltage_l1": 231.4,
  "meter-main.energy_import": 1834201.7,
  "meter-water.volume_forward": 40218.42,
  "garage-co.co": 9,
  "garage-climate.temperature": 19.6,
  "garage-climate.humidity": null,
};

export const points = new Map(
  layout.points.map((known) => {
    const value = VALUES[known.id] ?? null;
    return [
      known.id,
      {
        id: known.id,
        site: "demo",
        name: known.name,
        type: known.type,
        unit: known.unit,
        labels: known.labels,
        writable: known.writable,
        value,
        quality: value === null ? "bad" : "good",
        at: at(Date.now()),
      },
    ];
  }),
);

const FAMILIES = [
  "陈思远",
  "林晓彤",
  "王建国",
  "赵敏",
  "周启明",
  "徐静怡",
  "孙浩然",
  "何秀兰",
  "高博文",
  "郑雅婷",
  "罗志强",
  "梁嘉欣",
];
const KINDS = ["resident", "resident", "resident", "resident", "staff", "contractor"];
export const holders = FAMILIES.map((name, place) => ({
  id: `h-${place + 1}`,
  site: "demo",
  name,
  kind: KINDS[place % KINDS.length],
  unit:
    place % 6 === 4
      ? "工程部"
      : place % 6 === 5
        ? "绿洲保洁"
        : `${place % 2 ? "B" : "A"} 座 ${3 + place}0${1 + (place % 3)}`,
  valid_from: null,
  valid_to: place % 6 === 5 ? at(Date.now() + 40 * 86_400_000) : null,
}));
const PLATES = [
  "沪A12345",
  "沪AD88213",
  "苏E6T932",
  "沪B7K210",
  "浙A3M88Q",
  "沪AF20931",
  "皖C55N18",
  "沪D90217",
  "沪A7788挂",
  "沪C3L115",
  "沪ADB1290",
  "京N8H662",
];
export const credentials = holders.flatMap((holder, place) => [
  {
    id: `c-${place}-1`,
    site: "demo",
    kind: "card",
    value: place === 0 ? "04A1B2C3D4E5F6" : `04${(place * 7919 + 0xabcdef).toString(16).toUpperCase()}${10 + place}`,
    holder: holder.id,
    state: place === 3 ? "lost" : "active",
    valid_from: null,
    valid_to: null,
  },
  {
    id: `c-${place}-2`,
    site: "demo",
    kind: "plate",
    value: PLATES[place],
    holder: holder.id,
    state: "active",
    valid_from: null,
    valid_to: null,
  },
]);
export const grants = holders.map((holder, place) => ({
  id: `g-${place + 1}`,
  site: "demo",
  holder: holder.id,
  places: place % 2 ? ["block-b", "parking"] : ["lobby-a", "parking"],
  schedule: place % 6 === 5 ? "workdays" : "always",
  valid_from: null,
  valid_to: null,
}));
export const schedules = [
  { id: "workdays", site: "demo", name: text("工作日 7–19 点", "Workdays 7–19"), windows: [], days: [] },
];
export const blocks = [
  {
    id: "b-1",
    site: "demo",
    kind: "plate",
    value: "粤B88888",
    reason: text("多次冲闸、拒付停车费", "Ran the barrier, refused to pay"),
  },
];

/** What came by lately. @param {number} count */
export function rhythm(count) {
  const events = [];
  const now = Date.now();
  for (let place = 0; place < count; place += 1) {
    const back = (count - place) * 47_000 + ((place * 7919) % 31) * 1000;
    events.push(...visit(place, now - back));
  }
  return events;
}

/** One car or person. @param {number} place @param {number} when */
export function visit(place, when) {
  const who = place % holders.length;
  const turn = place % 11;
  if (turn === 3)
    return car(
      "gate-in",
      "闽D7" + String(2000 + place),
      null,
      "access.granted",
      "visitor",
      reason("visitor_admitted", "临停车，自动放行", "Temporary vehicle, let in"),
      when,
      "in",
    );
  if (turn === 6)
    return [
      access(
        "lobby-b",
        { kind: "card", value: "04DEADBEEF0001" },
        null,
        "access.denied",
        "credential",
        reason("revoked", "卡已注销", "Card is revoked"),
        when,
        "in",
        "lobby-b-in",
      ),
    ];
  if (turn === 8)
    return car(
      "gate-in",
      "沪K" + String(31000 + place),
      null,
      "access.denied",
      "visitor",
      reason("visitor_ask", "临停车，请核对后放行", "Temporary vehicle: check and open"),
      when,
      "in",
    );
  if (turn === 9 && place % 3 === 0)
    return [
      access(
        "pump-house",
        { kind: "card", value: credentials[who * 2].value },
        holders[who].id,
        "access.denied",
        "unknown",
        reason("no_grant", "没有此门的通行权限", "No access to this door"),
        when,
        "in",
        "pump-house-in",
      ),
    ];
  if (turn % 2 === 0) {
    const lane = turn % 4 === 0 ? "gate-in" : "gate-out";
    return car(
      lane,
      PLATES[who],
      holders[who].id,
      "access.granted",
      `grant:g-${who + 1}`,
      reason("granted", "通行权限有效", "Allowed"),
      when,
      lane === "gate-in" ? "in" : "out",
    );
  }
  const door = ["lobby-a", "lobby-b", "garage"][place % 3];
  return [
    access(
      door,
      { kind: "card", value: credentials[who * 2].value },
      holders[who].id,
      "access.granted",
      `grant:g-${who + 1}`,
      reason("granted", "通行权限有效", "Allowed"),
      when,
      place % 2 ? "in" : "out",
      `${door}-in`,
    ),
  ];
}

export const reason = (code, zh, en) => ({ code, zh, en });

export function access(source, credential, holder, kind, rule, why, when, direction, reader, picture = null) {
  return {
    kind,
    source,
    at: at(when),
    data: { credential, holder, rule, revision: 17, reason: why, direction, reader, picture },
  };
}

export function car(lane, plate, holder, kind, rule, why, when, direction) {
  const picture = [...plate].map((letter) => letter.codePointAt(0)?.toString(16).padStart(4, "0")).join("");
  const seen = {
    kind: "plate.seen",
    source: lane,
    at: at(when - 300),
    data: {
      plate,
      camera: `${lane}-cam`,
      confidence: 0.97,
      colour: [...plate].length === 8 ? "green" : "blue",
      plate_id: "1",
      replayed: false,
      picture,
    },
  };
  return [
    seen,
    access(lane, { kind: "plate", value: plate }, holder, kind, rule, why, when, direction, `${lane}-cam`, picture),
  ];
}

/** A car with its plate, drawn. @param {string} id */
export function picture(id) {
  const plate = (id.match(/.{4}/g) ?? []).map((code) => String.fromCodePoint(Number.parseInt(code, 16))).join("");
  const green = [...plate].length === 8;
  const hue = [...plate].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % 360;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 400"><rect width="640" height="400" fill="#39454c"/><rect y="230" width="640" height="170" fill="#596269"/><rect x="0" y="20" width="640" height="210" fill="#7d8d96"/>
<path d="M110 330v-90l30-26 70-92h220l70 92 30 26v90z" fill="hsl(${hue} 34% 44%)"/><path d="M200 206l44-66h152l44 66z" fill="#1d262b"/><rect x="130" y="234" width="70" height="34" rx="12" fill="#f4f1d4"/><rect x="440" y="234" width="70" height="34" rx="12" fill="#f4f1d4"/>
<rect x="140" y="318" width="74" height="46" rx="10" fill="#14181a"/><rect x="426" y="318" width="74" height="46" rx="10" fill="#14181a"/>
<rect x="228" y="276" width="184" height="52" rx="6" fill="${green ? "#8ed6a8" : "#1a4fa3"}" stroke="#fff" stroke-width="3"/><text x="320" y="314" font-size="34" font-weight="700" text-anchor="middle" fill="${green ? "#07301a" : "#fff"}" font-family="sans-serif">${plate}</text></svg>`;
}

const MINUTE = 60_000;
const now = Date.now();
const history = [];
for (let second = 0; second < 600; second += 10) {
  const moment = now - 14 * MINUTE - 600_000 + second * 1000;
  const failing = second > 470;
  history.push(["pump-2.flow", moment, failing ? 0 : 26 + Math.sin(second / 40) * 1.6]);
  history.push([
    "pump-2.power",
    moment,
    failing ? 12 : 4200 + Math.sin(second / 30) * 140 + (second > 380 ? (second - 380) * 14 : 0),
  ]);
  history.push(["pump-2.rotating", moment, !failing]);
  history.push(["pump-2.alarm_code", moment, failing ? "overload" : "none"]);
}

export const alarms = [
  {
    id: "a-1",
    site: "demo",
    rule: "pump.tripped",
    source: "pump-2",
    asset: "pump-2",
    severity: "major",
    state: "active",
    message: text("2 号生活水泵故障停机：电机保护动作", "Pump 2 stopped: motor protection"),
    response: text(
      "1. 确认 1 号泵已自动投入\n2. 到泵房查看 2 号泵控制柜\n3. 热继电器复位前先查电机温度",
      "1. Check that pump 1 has taken over\n2. Look at pump 2's panel in the pump house\n3. Feel the motor before you reset the thermal relay",
    ),
    values: { "pump-2.flow": 0, "pump-2.rotating": false, "pump-2.power": 12 },
    raised_at: at(now - 14 * MINUTE),
    cleared_at: null,
    acknowledged_at: null,
    acknowledged_by: null,
    shelved_until: null,
    note: "",
  },
  {
    id: "a-2",
    site: "demo",
    rule: "door.held",
    source: "garage",
    asset: "garage",
    severity: "minor",
    state: "cleared",
    message: text("车库人行门开启超过 30 秒", "Garage door held open for more than 30 s"),
    response: text("查看现场，确认门已关好", "Look there and see that the door is shut"),
    values: {},
    raised_at: at(now - 38 * MINUTE),
    cleared_at: at(now - 36 * MINUTE),
    acknowledged_at: null,
    acknowledged_by: null,
    shelved_until: null,
    note: "",
  },
  {
    id: "a-3",
    site: "demo",
    rule: "garage.humidity",
    source: "garage-climate",
    asset: "garage-climate",
    severity: "warning",
    state: "acknowledged",
    message: text("车库温湿度传感器无数据", "No data from the garage climate sensor"),
    response: null,
    values: {},
    raised_at: at(now - 190 * MINUTE),
    cleared_at: null,
    acknowledged_at: at(now - 170 * MINUTE),
    acknowledged_by: { id: "u-guard", name: "刘师傅", role: "guard" },
    shelved_until: null,
    note: "已通知维修",
  },
];

const person = { id: "u-maintenance", name: "张工", role: "maintenance" };
export const tickets = [
  {
    id: "t-1",
    site: "demo",
    number: 1042,
    alarm: "a-1",
    asset: "pump-2",
    cause: "pump.tripped",
    severity: "major",
    title: text("2 号生活水泵故障停机", "Pump 2 stopped"),
    place: "泵房",
    state: "raised",
    assignee: null,
    raised_at: at(now - 14 * MINUTE),
    updated_at: at(now - 14 * MINUTE),
    closed_at: null,
    count: 3,
    history,
    response: alarms[0].response,
    steps: [{ at: at(now - 14 * MINUTE), by: null, step: "opened", text: "" }],
  },
  {
    id: "t-2",
    site: "demo",
    number: 1041,
    alarm: "a-3",
    asset: "garage-climate",
    cause: "garage.humidity",
    severity: "warning",
    title: text("车库温湿度传感器无数据", "Garage climate sensor silent"),
    place: "地下车库",
    state: "taken",
    assignee: person,
    raised_at: at(now - 190 * MINUTE),
    updated_at: at(now - 90 * MINUTE),
    closed_at: null,
    count: 1,
    history: [],
    response: null,
    steps: [
      { at: at(now - 190 * MINUTE), by: null, step: "opened", text: "" },
      { at: at(now - 90 * MINUTE), by: person, step: "taken", text: "" },
      { at: at(now - 80 * MINUTE), by: person, step: "commented", text: "电池电压低，已领新电池，下午更换" },
    ],
  },
  {
    id: "t-3",
    site: "demo",
    number: 1039,
    alarm: null,
    asset: "lift-1",
    cause: "manual",
    severity: "minor",
    title: text("1 号电梯轿厢照明闪烁", "Lift 1: light flickers"),
    place: "A 座",
    state: "done",
    assignee: person,
    raised_at: at(now - 1500 * MINUTE),
    updated_at: at(now - 60 * MINUTE),
    closed_at: null,
    count: 1,
    history: [],
    response: null,
    steps: [
      {
        at: at(now - 1500 * MINUTE),
        by: { id: "u-guard", name: "刘师傅", role: "guard" },
        step: "opened",
        text: "住户反映晚上闪烁",
      },
      { at: at(now - 60 * MINUTE), by: person, step: "finished", text: "镇流器老化\n更换镇流器" },
    ],
  },
  {
    id: "t-4",
    site: "demo",
    number: 1033,
    alarm: "a-0",
    asset: "sump-1",
    cause: "sump.high",
    severity: "critical",
    title: text("集水坑液位过高", "Sump level high"),
    place: "泵房",
    state: "closed",
    assignee: person,
    raised_at: at(now - 5000 * MINUTE),
    updated_at: at(now - 4900 * MINUTE),
    closed_at: at(now - 4900 * MINUTE),
    count: 1,
    history: [],
    response: null,
    steps: [],
  },
];

export function meters() {
  const today = new Date(Date.now() + 8 * 3_600_000);
  const days = (of, unit) =>
    Array.from({ length: 40 }, (_, back) => {
      const day = new Date(today.getTime() - (39 - back) * 86_400_000).toISOString().slice(0, 10);
      const used = unit * (0.8 + 0.35 * Math.abs(Math.sin(back / 2.4)) + (back % 7 > 4 ? 0.2 : 0));
      return { day, meter_no: of, first: 0, last: used, used, rollovers: 0, odd: 0 };
    });
  return [
    {
      id: "meter-main",
      site: "demo",
      register: "energy_import",
      meter_no: "20260001",
      unit: "kWh",
      value: 1834201.7,
      at: at(Date.now() - 200_000),
      used: 0,
      days: days("20260001", 3900),
    },
    {
      id: "meter-water",
      site: "demo",
      register: "volume_forward",
      meter_no: "30260001",
      unit: "m³",
      value: 40218.42,
      at: at(Date.now() - 200_000),
      used: 0,
      days: days("30260001", 86),
    },
  ];
}
