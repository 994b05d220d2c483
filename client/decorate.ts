/** Decorators of classes and their members, and objects wrapped method by method. */
import type { Wrap } from "./wrap.ts";
import type { CallOptions, FunctionOptions } from "./options.ts";

/** What a standard decorator gives back for what it decorates; undefined leaves it as it is. */
export function decorate(
  wrap: Wrap,
  value: unknown,
  context: DecoratorContext,
  options: FunctionOptions,
): unknown {
  const { kind, name } = context;
  if (kind === "class") {
    const owner = options.name ?? name;
    wrapMethods(wrap, value as Function, owner, options);
    return wrapMethods(wrap, (value as Function).prototype as object, owner, options);
  }
  // The class is not there yet. A method finds it in what it is called on.
  return (value = wrap(value, options, (self) => qualify(ownerOf(self, name, value), name)));
}

/** Wraps every method found on the object and on its classes, in place. */
export function wrapAll(wrap: Wrap, object: object, options?: CallOptions & { prefix?: string }): object {
  for (let from = object; from && from !== Object.prototype; from = Object.getPrototypeOf(from) as object) {
    wrapMethods(wrap, from, options?.prefix, options, object);
  }
  return object;
}

/** Wraps the methods of one object, and puts them onto another, unless that has something of its own there. */
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
    // A class among them is a value, not a method.
    if (typeof value !== "function" || key === "constructor" || /^class\b/.test(value)) continue;
    if (from !== onto && Object.hasOwn(onto, key)) continue;
    property.value = wrap(value, { ...options, name: qualify(owner, key) });
    // Where it is fixed, it goes on unmeasured.
    Reflect.defineProperty(onto, key, property);
  }
}

function qualify(owner: string | undefined, key: PropertyKey): string {
  return (owner ? `${owner}.` : "") + String(key);
}

/** The name of the class that an object, or a class, has a member from: its own, or one that it extends. */
function ownerOf(self: unknown, name: PropertyKey, member: unknown): string {
  let owner = self;
  while (owner && !Object.values(Object.getOwnPropertyDescriptor(owner, name) ?? {}).includes(member)) {
    owner = Object.getPrototypeOf(owner);
  }
  // A private method is found nowhere.
  owner ??= self;
  return (typeof owner === "function" ? owner : (owner as object).constructor).name;
}
