/** The pages of an OpenAPI document, drawn from what the server itself says: nothing is fetched from anywhere else. */
"use strict";

const described = document.body.dataset.openapi;
const METHODS = ["get", "post", "put", "patch", "delete"];

/** An element with attributes and children; texts are texts, never HTML. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A shape in one readable piece: names of other shapes are followed so many steps deep. */
function shapeOf(schema, schemas, depth = 4) {
  if (!schema) return "any";
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1);
    return depth > 0 && schemas[name] ? shapeOf(schemas[name], schemas, depth - 1) : name;
  }
  const either = schema.anyOf ?? schema.oneOf;
  if (either) {
    const parts = either.map((part) => shapeOf(part, schemas, depth));
    return parts.every((part) => typeof part === "string") ? parts.join(" | ") : parts.find((part) => typeof part !== "string");
  }
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.type === "array") return [shapeOf(schema.items, schemas, depth)];
  if (schema.properties) {
    const needed = new Set(schema.required ?? []);
    return Object.fromEntries(
      Object.entries(schema.properties).map(([key, value]) => [needed.has(key) ? key : `${key}?`, shapeOf(value, schemas, depth)]),
    );
  }
  if (schema.type === "object" && schema.additionalProperties) return { "…": shapeOf(schema.additionalProperties, schemas, depth) };
  return schema.format ? `${schema.type} (${schema.format})` : (schema.type ?? "any");
}

const drawn = (shape) => element("pre", {}, typeof shape === "string" ? shape : JSON.stringify(shape, null, 2));

/** A form that sends the request as whoever is signed in here, and shows the answer. */
function trial(path, method, parameters, body) {
  const fields = parameters.map((parameter) => element("input", { "aria-label": parameter.name, placeholder: parameter.name }));
  const written = body ? element("textarea", { "aria-label": "body", spellcheck: "false" }, "{}") : null;
  const answer = element("pre", { "aria-live": "polite" });
  const send = element("button", { type: "submit" }, "试一下 · try");
  const form = element("form", {}, ...fields, written, send, answer);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const query = new URLSearchParams();
    let address = path;
    parameters.forEach((parameter, place) => {
      const value = fields[place].value;
      if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(value));
      else if (parameter.in === "query" && value !== "") query.append(parameter.name, value);
    });
    const headers = written ? { "Content-Type": "application/json" } : {};
    const asked = query.size ? `${address}?${query}` : address;
    try {
      const found = await fetch(asked, { method: method.toUpperCase(), headers, body: written?.value });
      const text = await found.text();
      let shown = text;
      try {
        shown = JSON.stringify(JSON.parse(text), null, 2);
      } catch {
        // no JSON: as it is
      }
      answer.textContent = `${found.status} ${asked}\n\n${shown}`;
    } catch (error) {
      answer.textContent = String(error);
    }
  });
  return form;
}

function entry(path, method, operation, schemas) {
  const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in !== "cookie" && parameter.in !== "header");
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  const inside = element("div", { class: "inside" });
  const whole = element(
    "details",
    { "data-path": `${method} ${path} ${operation.summary ?? ""}`.toLowerCase() },
    element("summary", {}, element("b", {}, method.toUpperCase()), element("code", {}, path), element("span", {}, operation.summary ?? "")),
    inside,
  );
  whole.addEventListener("toggle", () => {
    if (inside.childElementCount > 0) return;
    if (operation.description) inside.append(element("p", {}, operation.description));
    if (parameters.length) {
      const rows = parameters.map((parameter) =>
        element("tr", {}, element("td", {}, element("code", {}, `${parameter.name}${parameter.required ? "" : "?"}`)),
          element("td", {}, parameter.in), element("td", {}, String(JSON.stringify(shapeOf(parameter.schema, schemas)))),
          element("td", {}, parameter.description ?? "")));
      inside.append(element("table", {}, ...rows));
    }
    if (body) inside.append(element("h3", {}, "请求 · request"), drawn(shapeOf(body, schemas)));
    for (const [status, said] of Object.entries(operation.responses ?? {})) {
      const schema = said.content?.["application/json"]?.schema;
      if (schema && status.startsWith("2")) inside.append(element("h3", {}, `应答 · answer ${status}`), drawn(shapeOf(schema, schemas)));
    }
    inside.append(trial(path, method, parameters, body));
  });
  return whole;
}

async function show() {
  const api = await (await fetch(described)).json();
  document.title = document.querySelector("h1").textContent = `${api.info.title} ${api.info.version}`;
  const schemas = api.components?.schemas ?? {};
  const groups = new Map();
  for (const [path, operations] of Object.entries(api.paths))
    for (const method of METHODS) {
      const operation = operations[method];
      if (!operation) continue;
      const tag = operation.tags?.[0] ?? "";
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(entry(path, method, operation, schemas));
    }
  for (const [tag, entries] of groups)
    document.querySelector("main").append(element("section", {}, element("h2", {}, tag), ...entries));
}

document.querySelector("#search").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  for (const one of document.querySelectorAll("details")) one.hidden = !one.dataset.path.includes(wanted);
});

show().catch((error) => (document.querySelector("h1").textContent = String(error)));
