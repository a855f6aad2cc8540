/**
 * What a trust log said when. The root can sign a statement with any time, and only what the trust-log key signs goes forward in it, so that
 * what counts is the order in the log: a statement has effect from the largest of its own time and of those that this key signed before it.
 * Spec: SPEC.md 22.
 */
import { type Original } from '../../protocol/code/original.ts';
import { type Basis } from '../../protocol/disclosure/basis.ts';
import { CLOCK_AHEAD_S_MAX } from '../../protocol/limits.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type RuleSet, readRuleSet } from '../../protocol/rules/rule-set.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { type Statement, type StatementOf } from '../../protocol/trust/statement-schema.ts';
import { waysOfChecking } from '../../protocol/verdict/judge-original.ts';

export interface TrustLog {
  /** From its first entry on. */
  readonly entries: readonly Uint8Array[];
  /** The indexes of those that had no effect. */
  readonly without: ReadonlySet<number>;
}

interface Logged<S> {
  readonly statement: S;
  readonly effectiveS: number;
}

interface Ruling extends Logged<StatementOf<'rules'>> {
  /** The last second in which the version before may still have been the newest that the region had. */
  settledS: number;
}

interface Recognised extends Logged<StatementOf<'recognition'>> {
  /** The first second in which it surely no longer stood. */
  endS: number;
}

const HOUR_S = 3_600;

export class TrustHistory {
  readonly tallies: StatementOf<'tally'>[] = [];
  readonly #rules: Ruling[] = [];
  readonly #recognitions: Recognised[] = [];
  readonly #read = new Map<string, RuleSet | undefined>();

  constructor({ entries, without }: TrustLog, sha256: Sha256) {
    const rootKeys = new Set<string>();
    const standing = new Map<string, Recognised>();
    /** What the trust log ended since the trust-log key last told the time. */
    let ended: Recognised[] = [];
    /** Rules that were logged since. */
    let unsettled: Ruling[] = [];
    let lastAtS = 0;
    entries.forEach((entry, index) => {
      if (without.has(index)) return;
      const { statement, signatures } = parseEntry(entry);
      if (statement.kind === 'root') for (const key of statement.keys) rootKeys.add(keyIdOf(sha256, key));
      if (isAboutRecognition(statement)) {
        const before = standing.get(statement.region);
        if (before !== undefined) ended.push(before);
        standing.delete(statement.region);
      }
      const effectiveS = Math.max(statement.at, lastAtS);
      if (statement.kind === 'tally') this.tallies.push(statement);
      if (statement.kind === 'rules') {
        const ruling = { statement, effectiveS, settledS: Infinity };
        this.#rules.push(ruling);
        unsettled.push(ruling);
      }
      if (statement.kind === 'recognition') {
        const recognised = { statement, effectiveS, endS: statement.until };
        this.#recognitions.push(recognised);
        standing.set(statement.region, recognised);
      }
      if (signatures.some(({ keyId }) => rootKeys.has(keyId))) return;
      lastAtS = statement.at;
      for (const one of ended) one.endS = Math.min(one.endS, lastAtS + 1);
      for (const one of unsettled) one.settledS = lastAtS;
      [ended, unsettled] = [[], []];
    });
  }

  /**
   * The rules of this id and version, if at the time of the decision they may have been the newest that the region had: it has those of another
   * version surely from the first time on that the trust-log key told at or behind them. The clock of whoever decided may be so far from that of the
   * log as clocks of honest regions are.
   */
  rulesAt({ rule, version, atS }: Extract<Basis, { kind: 'rules' }>): RuleSet | undefined {
    const [earliestS, latestS] = [atS - CLOCK_AHEAD_S_MAX, atS + CLOCK_AHEAD_S_MAX];
    const had = this.#rules.filter(
      ({ statement, effectiveS }) => statement.id === rule && effectiveS <= latestS,
    );
    const surely = had.findLastIndex(
      ({ effectiveS, settledS }) => Math.max(effectiveS, settledS) < earliestS,
    );
    if (!had.slice(Math.max(0, surely)).some(({ statement }) => statement.version === version))
      return undefined;
    const name = `${rule} ${version}`;
    if (!this.#read.has(name)) {
      const logged = this.#rules.find(({ statement: { id, version: of } }) => id === rule && of === version);
      const statement = logged?.statement;
      this.#read.set(name, statement && readRuleSet({ ...statement, fromS: statement.from }).ruleSet);
    }
    return this.#read.get(name);
  }

  /** Whether in this hour of issue, or the one before, the region recognised that of the original in a way in which it can have checked it. */
  mayHaveChecked(original: Original, hour: number): boolean {
    const ways = waysOfChecking(original);
    const [firstS, endS] = [(hour - 1) * HOUR_S, (hour + 1) * HOUR_S];
    return this.#recognitions.some(({ statement: { region, way, from }, effectiveS, endS: overS }) => {
      const isThen = Math.max(from, effectiveS, firstS) < Math.min(endS, overS);
      return isThen && region === original.region && ways.has(way);
    });
  }
}

function isAboutRecognition(
  statement: Statement,
): statement is StatementOf<'recognition' | 'withdrawal' | 'suspension'> {
  return ['recognition', 'withdrawal', 'suspension'].includes(statement.kind);
}
