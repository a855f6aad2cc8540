/** The month that the id of an attestation log names, in which its attestations are issued. Spec: SPEC.md 4.1. */

/** `[fromS, untilS)`: the month (UTC) of the log `yyyy-mm` or `yyyy-mm.k`, which must be such an id. */
export function logMonth(log: string): { readonly fromS: number; readonly untilS: number } {
  const year = Number(log.slice(0, 4));
  const month = Number(log.slice(5, 7));
  return { fromS: Date.UTC(year, month - 1) / 1000, untilS: Date.UTC(year, month) / 1000 };
}
