/** Says how many there are of something, in the singular or the plural. */
export const count = (n: number, what: string, many = `${what}s`) =>
  `${n.toLocaleString("en")} ${n === 1 ? what : many}`;
