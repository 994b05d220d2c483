/** Writes the names of wrapped functions into a module's code, so that they survive a minifier. */
import { type AnyNode, type CallExpression, type Expression, type Class, parse } from "acorn";
import { MagicString, type SourceMap } from "magic-string";

export interface KeepNamesOptions {
  /** What collectors are called in the code. Default: `["metricsCollector"]`. */
  collectors?: readonly string[];
}

/**
 * `metricsCollector(total)` becomes `metricsCollector("total", total)`, and a class in a module that uses a collector keeps
 * its name. Returns undefined if nothing changes, or if the code is not JavaScript.
 */
export function keepNames(
  code: string,
  { collectors = ["metricsCollector"] }: KeepNamesOptions = {},
): { code: string; map: SourceMap } | undefined {
  if (!collectors.some((name) => code.includes(name))) return undefined;
  let program: AnyNode;
  try {
    program = parse(code, { ecmaVersion: "latest", sourceType: "module", allowHashBang: true });
  } catch {
    return undefined;
  }
  const edited = new MagicString(code);
  visit(program, undefined, (node, hint) => {
    if (node.type === "CallExpression" && isCollector(node, collectors)) nameCall(node, hint, edited);
    if (node.type === "ClassDeclaration" || node.type === "ClassExpression") nameClass(node, hint, edited);
  });
  return edited.hasChanged()
    ? { code: edited.toString(), map: edited.generateMap({ hires: "boundary" }) }
    : undefined;
}

function isCollector({ callee }: CallExpression, collectors: readonly string[]): boolean {
  const name = callee.type === "MemberExpression" ? callee.property : callee;
  return name.type === "Identifier" && collectors.includes(name.name);
}

/** The forms are `(fn)`, `(options, fn)` and `("name", fn)`; the last has a name already. */
function nameCall({ arguments: args }: CallExpression, hint: string | undefined, edited: MagicString): void {
  const [first, second] = args;
  if (!first || first.type === "SpreadElement" || second?.type === "SpreadElement") return;
  if (args.length === 1) {
    const name = nameOf(first, hint) ?? (isFunction(first) ? hint : undefined);
    if (name) edited.appendLeft(first.start, `${JSON.stringify(name)}, `);
  } else if (second && first.type === "ObjectExpression") {
    const hasName = first.properties.some(
      (property) => property.type === "SpreadElement" || keyOf(property.key) === "name",
    );
    const name = nameOf(second, hint) ?? hint;
    if (name && !hasName) edited.appendLeft(first.start + 1, ` name: ${JSON.stringify(name)}, `);
  }
}

function nameClass({ id, body, start }: Class, hint: string | undefined, edited: MagicString): void {
  const name = id?.name ?? hint;
  const hasOwnName = body.body.some(
    (member) => "key" in member && member.static && keyOf(member.key) === "name",
  );
  if (!name || hasOwnName || start < 0) return;
  const value = `{ value: ${JSON.stringify(name)}, configurable: true }`;
  edited.appendLeft(body.start + 1, ` static { Object.defineProperty(this, "name", ${value}); }`);
}

/** A function's own name, or that of the variable which is wrapped. */
function nameOf(node: Expression, hint: string | undefined): string | undefined {
  if (node.type === "Identifier") return node.name;
  if (node.type === "FunctionExpression" || node.type === "ClassExpression") {
    // Compilers append a number if a variable has the same name.
    return hint && node.id?.name.replace(/\d+$/, "") === hint ? hint : node.id?.name;
  }
  return node.type === "MemberExpression" ? keyOf(node.property) : undefined;
}

function isFunction(node: Expression): boolean {
  return /^(Function|ArrowFunction|Class)Expression$/.test(node.type);
}

function keyOf(node: { type: string }): string | undefined {
  const { name, value } = node as { name?: string; value?: unknown };
  if (node.type === "Identifier") return name;
  return node.type === "Literal" && typeof value === "string" ? value : undefined;
}

/** The names that JavaScript itself gives: of a variable, a property, an assignment. */
function hintFor(node: AnyNode): [child: unknown, name: string | undefined] {
  if (node.type === "VariableDeclarator") return [node.init, keyOf(node.id)];
  if (node.type === "Property" || node.type === "PropertyDefinition") return [node.value, keyOf(node.key)];
  if (node.type === "AssignmentExpression") return [node.right, keyOf(node.left)];
  return [undefined, undefined];
}

function visit(
  node: AnyNode,
  hint: string | undefined,
  see: (node: AnyNode, hint: string | undefined) => void,
): void {
  see(node, hint);
  const [hinted, name] = hintFor(node);
  for (const child of Object.values(node as unknown as Record<string, unknown>).flat()) {
    if (isNode(child)) visit(child, child === hinted ? name : undefined, see);
  }
}

function isNode(value: unknown): value is AnyNode {
  return typeof (value as { type?: unknown } | null)?.type === "string";
}
