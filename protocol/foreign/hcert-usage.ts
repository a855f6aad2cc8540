/** What a signer's key may attest, from the extended key usages of its certificate. Spec: SPEC.md 17.3, eHealth Network guidelines volume 5, 3.3.2. */
import { type KeyUsage } from './foreign-code.ts';

/** The arcs below which 1, 2 and 3 stand: the one of the specification, and the one that most certificates carry. */
const ARCS = ['1.3.6.1.4.1.1847.2021.1.', '1.3.6.1.4.1.0.1847.2021.1.'];
const USAGES: ReadonlyMap<string, KeyUsage> = new Map([
  ['1', 'test'],
  ['2', 'vaccination'],
  ['3', 'recovery'],
]);

/** The usages that these object identifiers name; undefined, which is all, if they name none. A trailing `.0` counts for nothing. */
export function hcertUsagesOf(oids: readonly string[]): readonly KeyUsage[] | undefined {
  const usages = oids.flatMap((oid) => {
    const arc = ARCS.find((start) => oid.startsWith(start));
    const usage = arc === undefined ? undefined : USAGES.get(oid.slice(arc.length).replace(/\.0$/, ''));
    return usage === undefined ? [] : [usage];
  });
  return usages.length === 0 ? undefined : [...new Set(usages)];
}
