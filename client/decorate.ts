/** Decorates classes and their members, and wraps objects method by method. */
import { sourceOf } from "./disguise.ts";
import type { CallOptions, FunctionOptions } from "./options.ts";
import type { Wrap } from "./wrap.ts";

/** Applies a standard decorator. Returns the replacement; undefined leaves the class or field as it is. */
export function decorate(
  wrap: Wrap,
  value: unknown,
  { kind, name }: DecoratorContext,
  options: FunctionOptions,
): unknown {
  if (kind === "class") return decorateClass(wrap, value as Function, options.name ?? name, options);
  // The class does not exist yet. A method finds it when it is called on an object.
  const wrapMember: Wrap = (member) => {
    const wrapped = wrap(member, options, (self) => qualify(ownerOf(self, name, wrapped), name));
    return wrapped;
  };
  return kind === "accessor"
    ? wrapParts(wrapMember, value as PropertyDescriptor, options)
    : wrapMember(value, options);
}

/** Applies a decorator of a member in the way of TypeScript's `experimentalDecorators`. Fields have no descriptor. */
export function decorateLegacy(
  wrap: Wrap,
  target: object,
  key: PropertyKey,
  descriptor: unknown,
  options: FunctionOptions,
): PropertyDescriptor | undefined {
  if (typeof descriptor !== "object") return undefined;
  const owner = (typeof target === "function" ? target : target.constructor).name;
  return wrapParts(wrap, descriptor as PropertyDescriptor, { name: qualify(owner, key), ...options });
}

/** Wraps every method that the class itself declares, in place. */
export function decorateClass(
  wrap: Wrap,
  value: Function,
  owner: string | undefined,
  options?: CallOptions,
): void {
  wrapMethods(wrap, value, owner, options);
  wrapMethods(wrap, value.prototype as object, owner, options);
}

/** Wraps every method that is found on the object and on its classes, in place. */
export function wrapAll(wrap: Wrap, object: object, options?: CallOptions & { prefix?: string }): object {
  if (!keepsFunctions(object)) return object;
  let from = object;
  while (from && from !== Object.prototype && from !== Function.prototype) {
    wrapMethods(wrap, from, options?.prefix, options, object);
    from = Object.getPrototypeOf(from) as object;
  }
  return object;
}

/** Some objects of browsers store what they are given as text: `localStorage` would keep a method as an item. */
function keepsFunctions(object: object): boolean {
  const key = "metrics-collector";
  if (!Reflect.defineProperty(object, key, { value: wrapAll, configurable: true })) return true;
  const kept: unknown = Reflect.get(object, key);
  Reflect.deleteProperty(object, key);
  return kept === wrapAll;
}

/** Wraps the methods of one object and puts them onto another, unless that has a property of the same name. */
function wrapMethods(
  wrap: Wrap,
  from: object,
  owner: string | undefined,
  options: CallOptions | undefined,
  onto: object = from,
): void {
  for (const key of Reflect.ownKeys(from)) {
    const property = Object.getOwnPropertyDescriptor(from, key)!;
    const { value } = property;
    // A class in a property is a value, not a method.
    if (
      typeof value !== "function" ||
      key === "constructor" ||
      /^class\b/.test(sourceOf(value as Function))
    ) {
      continue;
    }
    if (from !== onto && Object.hasOwn(onto, key)) continue;
    property.value = wrap(value, { ...options, name: qualify(owner, key) });
    // If the property cannot change, the method stays unmeasured.
    if (property.value !== value) Reflect.defineProperty(onto, key, property);
  }
}

/** Wraps the functions of a property: its value, or its getter and setter. */
function wrapParts(wrap: Wrap, property: PropertyDescriptor, options: FunctionOptions): PropertyDescriptor {
  for (const part of ["value", "get", "set"] as const) {
    if (property[part]) property[part] = wrap(property[part], options) as never;
  }
  return property;
}

function qualify(owner: string | undefined, key: PropertyKey): string {
  return (owner ? `${owner}.` : "") + String(key);
}

/** The name of the class that declares a member of this object or class: its own class, or one that it extends. */
function ownerOf(self: unknown, name: PropertyKey, member: unknown): string {
  let owner = self;
  while (owner && !Object.values(Object.getOwnPropertyDescriptor(owner, name) ?? {}).includes(member)) {
    owner = Object.getPrototypeOf(owner);
  }
  // A private method is not a property of anything.
  owner ??= self;
  return (typeof owner === "function" ? owner : (owner as object).constructor).name;
}
