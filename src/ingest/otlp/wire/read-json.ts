/**
 * Reads messages in OTLP's JSON. It keeps only the fields of the tables, so that memory stays a small multiple of the
 * request, whatever the request holds. `JSON.parse` would make an object of everything first.
 */
import { JsonText } from "./json-text.ts";
import {
  type AttributeValue,
  type Field,
  type Fields,
  Malformed,
  MAX_ENTRIES,
  type Message,
  type Scalar,
} from "./message.ts";

/**
 * Calls `take` for each message without a stream that is inside of streams.
 *
 * @throws {Malformed}
 */
export function readJson(text: string, message: Message, take: (fields: Fields) => void): void {
  const json = new JsonText(text);
  new Reader(json, take).stream(message, null, "");
  json.requireEnd();
}

class Reader {
  readonly #json: JsonText;
  readonly #take: (fields: Fields) => void;

  constructor(json: JsonText, take: (fields: Fields) => void) {
    this.#json = json;
    this.#take = take;
  }

  stream(message: Message, parent: Fields | null, as: string): void {
    const fields = this.#message(message, parent, as);
    if (fields !== null && !message.hasStream) this.#take(fields);
  }

  /** Null if the value is null. */
  #message(message: Message, parent: Fields | null, as: string): Fields | null {
    const json = this.#json;
    if (json.takeNull()) return null;
    const fields: Fields = { parent, as };
    const later: { at: number; field: Field }[] = [];
    json.beginObject();
    for (let isFirst = true; json.nextMember(isFirst); isFirst = false) {
      const field = message.byName.get(json.key());
      if (field === undefined) {
        json.skip();
      } else if (field.kind.is !== "stream") {
        this.#value(field, fields);
      } else if (message.before.every((name) => name in fields)) {
        this.#streams(field, fields);
      } else {
        later.push({ at: json.at, field });
        json.skip();
      }
    }
    json.endObject();
    if (later.length === 0) return fields;
    const end = json.at;
    for (const { at, field } of later) {
      json.at = at;
      this.#streams(field, fields);
    }
    json.at = end;
    return fields;
  }

  #streams(field: Field, parent: Fields): void {
    const { kind, name } = field;
    if (kind.is !== "stream") return;
    if (this.#json.isAtArray()) this.#json.eachElement(() => this.stream(kind.of, parent, name));
    else this.stream(kind.of, parent, name);
  }

  #value({ name, kind }: Field, fields: Fields): void {
    const json = this.#json;
    if (json.takeNull()) return;
    switch (kind.is) {
      case "message": {
        fields[name] = this.#message(kind.of, fields, name);
        return;
      }
      case "messages": {
        const all = (fields[name] ??= []) as (Fields | null)[];
        json.eachElement(() => all.push(this.#message(kind.of, fields, name)));
        return;
      }
      case "attributes": {
        const all = (fields[name] ??= new Map()) as Map<string, AttributeValue>;
        json.eachElement(() => this.#attribute(all, kind.wanted));
        return;
      }
      case "numbers": {
        const all: number[] = [];
        json.eachElement(() => {
          if (all.length >= MAX_ENTRIES) throw new Malformed(`${name} has more than ${MAX_ENTRIES} entries`);
          all.push(json.number(name));
        });
        fields[name] = all;
        return;
      }
      case "stream":
        return;
      default:
        fields[name] = scalar(json, kind.is, name);
    }
  }

  #attribute(all: Map<string, AttributeValue>, wanted: ReadonlySet<string> | null): void {
    const json = this.#json;
    if (json.takeNull()) return;
    let key: string | undefined;
    let valueAt = -1;
    let isRead = false;
    json.beginObject();
    for (let isFirst = true; json.nextMember(isFirst); isFirst = false) {
      const member = json.key();
      if (member === "key") {
        key = json.text("key");
      } else if (member === "value" && key !== undefined && (wanted === null || wanted.has(key))) {
        put(all, key, anyValue(json, wanted === null));
        isRead = true;
      } else {
        if (member === "value") valueAt = json.at;
        json.skip();
      }
    }
    json.endObject();
    if (isRead || valueAt < 0 || key === undefined || (wanted !== null && !wanted.has(key))) return;
    // The value came before the key.
    const end = json.at;
    json.at = valueAt;
    put(all, key, anyValue(json, wanted === null));
    json.at = end;
  }
}

function put(all: Map<string, AttributeValue>, key: string, value: AttributeValue | undefined): void {
  // Cloudflare repeats the resource's attributes in each span. The last value of a key counts.
  if (value !== undefined) all.set(key, value);
  if (all.size > MAX_ENTRIES) throw new Malformed(`attributes has more than ${MAX_ENTRIES} entries`);
}

/** Undefined if there is no value, or if it is a list or a map and `keepsText` is false. */
function anyValue(json: JsonText, keepsText: boolean): AttributeValue | undefined {
  if (json.takeNull()) return undefined;
  let value: AttributeValue | undefined;
  json.beginObject();
  for (let isFirst = true; json.nextMember(isFirst); isFirst = false) {
    const member = json.key();
    if (member === "stringValue") value = json.text(member);
    else if (member === "boolValue") value = json.boolean(member);
    else if (member === "intValue" || member === "doubleValue") value = json.number(member);
    else {
      const start = json.at;
      json.skip();
      if (keepsText) value = json.between(start, json.at).trim();
    }
  }
  json.endObject();
  return value;
}

function scalar(json: JsonText, kind: Scalar, name: string): unknown {
  switch (kind) {
    case "text":
      return json.text(name);
    case "bool":
      return json.boolean(name);
    case "enum":
      return json.enumNumber(name);
    case "time":
      return json.time(name);
    default:
      return json.number(name);
  }
}
