/** Functions of single numbers: arithmetic, trigonometry, dates. */
import { FLOAT, NONE, type Row, type Value, dropNames, rowsOf, scalarOf } from "../evaluate/value.ts";
import { type CallContext, type FunctionEntry, type FunctionTable, ofValues } from "./function.ts";

const ofNumber = (map: (value: number) => number): FunctionEntry => ({
  parameters: ["vector"],
  optional: 0,
  returns: "vector",
  body: { kind: "numbers", map },
});

/** Those that JavaScript has under the same name. */
const NATIVE =
  "abs ceil floor exp sqrt log2 log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh".split(
    " ",
  ) as ("abs" | "exp")[];

const MATH: Record<string, (value: number) => number> = {
  ...Object.fromEntries(NATIVE.map((name) => [name, Math[name]])),
  ln: Math.log,
  sgn: Math.sign,
  rad: (degrees) => (degrees * Math.PI) / 180,
  deg: (radians) => (radians * 180) / Math.PI,
};

/** Parts of a date in UTC. The argument is in Unix seconds. */
const DATES: Record<string, (date: Date) => number> = {
  minute: (date) => date.getUTCMinutes(),
  hour: (date) => date.getUTCHours(),
  day_of_week: (date) => date.getUTCDay(),
  day_of_month: (date) => date.getUTCDate(),
  day_of_year: (date) =>
    (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) -
      Date.UTC(date.getUTCFullYear(), 0, 1)) /
      86_400_000 +
    1,
  days_in_month: (date) => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate(),
  month: (date) => date.getUTCMonth() + 1,
  year: (date) => date.getUTCFullYear(),
};

/** Without an argument, a date function takes the time of the evaluation. The evaluation supplies it. */
const ofDate = (map: (date: Date) => number): FunctionEntry => ({
  ...ofNumber((seconds) => map(new Date(Math.trunc(seconds) * 1000))),
  optional: 1,
});

export const mathFunctions: FunctionTable = {
  ...mapTable(MATH, ofNumber),
  ...mapTable(DATES, ofDate),
  round: { ...ofValues(["vector", "scalar"], round), optional: 1 },
  clamp: ofValues(["vector", "scalar", "scalar"], ([vector, min, max], context) =>
    clamp(vector, scalarOf(min), scalarOf(max), context),
  ),
  clamp_min: ofValues(["vector", "scalar"], ([vector, min], context) =>
    clamp(vector, scalarOf(min), undefined, context),
  ),
  clamp_max: ofValues(["vector", "scalar"], ([vector, max], context) =>
    clamp(vector, undefined, scalarOf(max), context),
  ),
  pi: ofValues(
    [],
    (_args, { grid }) => ({ type: "scalar", values: new Float64Array(grid.steps).fill(Math.PI) }),
    "scalar",
  ),
};

/** Halves are rounded up. */
function round([vector, nearest]: readonly Value[], { delayedNames }: CallContext): Value {
  const to = nearest && scalarOf(nearest);
  return mapFloats(vector, delayedNames, (value, step) => {
    // Multiplying by the inverse loses less precision than dividing.
    const inverse = 1 / (to ? to[step]! : 1);
    return Math.floor(value * inverse + 0.5) / inverse;
  });
}

function clamp(
  vector: Value | undefined,
  min: Float64Array | undefined,
  max: Float64Array | undefined,
  { delayedNames }: CallContext,
): Value {
  return mapFloats(vector, delayedNames, (value, step) => {
    const low = min ? min[step]! : -Infinity;
    const high = max ? max[step]! : Infinity;
    return high < low ? undefined : Math.max(low, Math.min(high, value));
  });
}

/** Maps the numbers of a vector in place. Histograms, and what maps to nothing, are left out. */
export function mapFloats(
  vector: Value | undefined,
  delayedNames: boolean,
  map: (value: number, step: number) => number | undefined,
): Value {
  const rows: Row[] = rowsOf(vector);
  for (const { kinds, floats } of rows) {
    for (let step = 0; step < kinds.length; step++) {
      const mapped = kinds[step] === FLOAT ? map(floats[step]!, step) : undefined;
      if (mapped === undefined) kinds[step] = NONE;
      else floats[step] = mapped;
    }
  }
  return { type: "vector", rows: dropNames(rows, delayedNames) };
}

function mapTable<T>(table: Record<string, T>, map: (entry: T) => FunctionEntry): FunctionTable {
  return Object.fromEntries(Object.entries(table).map(([name, entry]) => [name, map(entry)]));
}
