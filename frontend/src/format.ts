/** Numbers as people read them, as schedframe/_tools/views/numbers.py writes them. */

const PREFIXES: [number, string][] = [
  [1e12, "T"],
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "K"],
];

/** Write a position or a length: `300B`, `131.8M`, `2K`, `12`. */
export function si(value: number): string {
  for (const [size, prefix] of PREFIXES) {
    if (Math.abs(value) >= size * (1 - 0.5e-4)) return `${Number((value / size).toPrecision(4))}${prefix}`;
  }
  return String(Number(value.toPrecision(4)));
}

/** Write a learning rate or a weight decay: `3e-4`, `0.1`, `1.25e-5`. */
export function rate(value: number): string {
  if (value === 0) return "0";
  if (Math.abs(value) >= 0.01 && Math.abs(value) < 1000) return String(Number(value.toPrecision(3)));
  const [mantissa, exponent] = value.toExponential(2).split("e");
  return `${Number(mantissa)}e${Number(exponent)}`;
}

/** Write a position in full, with three decimals at most: `1,234,567.5`. */
export function position(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 3 });
}

/** Write a value with every digit that it has. */
export function exact(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);
}
