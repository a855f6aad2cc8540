/**
 * Makes `test/vectors/trust.json`: entries of trust logs, whole logs and bases to start from, good ones and ones with faults.
 * Deterministic. What is found is known from how a case is made; only the final roots are asked of the library.
 * Run from the project root: `npx tsx test/vectors/generate/trust.ts`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hexOf } from '../../../protocol/bytes.ts';
import { type FaultCode } from '../../../protocol/fault.ts';
import { type Finding } from '../../../protocol/trust/trust-state.ts';
import { projectRoot } from '../../support/project.ts';
import { badBases, type BaseCase, goodBases } from './trust-bases.ts';
import { badLogs, goodLogs, type LogCase } from './trust-logs.ts';
import { badEntries, goodEntries, type Named } from './trust-statements.ts';

export const TRUST_VECTOR_FILE = join(projectRoot, 'test/vectors/trust.json');

const ABOUT = [
  'SPEC.md 8. All are of the trust log of region DE in network test. Bytes are in hexadecimal.',
  'statements: entries by their form alone, whatever their signatures are worth; without a fault the form is good.',
  'logs: findings are [index, code] after the last entry; fingerprint is null while no root is in force; items and root are those of a state statement with this at, were it appended next.',
  'bases: a fold starts before index from items and frontier, and entry proves them; without a fault it goes on with size index + 1.',
];

export interface StatementVector {
  readonly name: string;
  readonly entry: string;
  readonly fault?: FaultCode;
}

export interface LogVector {
  readonly name: string;
  readonly entries: readonly string[];
  readonly findings: readonly (readonly [index: number, code: Finding['code']])[];
  readonly fingerprint: string | null;
  readonly at: number;
  readonly items: number;
  readonly root: string;
}

export interface BaseVector {
  readonly name: string;
  readonly index: number;
  readonly frontier: readonly string[];
  readonly items: readonly string[];
  readonly entry: string;
  readonly fault?: FaultCode;
}

export interface TrustVectors {
  readonly statements: readonly StatementVector[];
  readonly logs: readonly LogVector[];
  readonly bases: readonly BaseVector[];
}

/** Longer entries would be most of the file; their bounds are tested where they are made. */
const ENTRY_BYTES_SHOWN = 8_192;

function statementVectors(): StatementVector[] {
  const isShown = ([, entry]: Named<Uint8Array>) => entry.length <= ENTRY_BYTES_SHOWN;
  return [
    ...goodEntries.filter(isShown).map(([name, entry]) => ({ name, entry: hexOf(entry) })),
    ...badEntries.filter(isShown).map(([name, entry]) => ({ name, entry: hexOf(entry), fault: 'STATEMENT_MALFORMED' as const })),
  ];
}

function logVector([name, write]: LogCase): LogVector {
  const { entries, expected, state, fold, nowS: at } = write();
  const { items, root } = fold.commitmentAt(at);
  return {
    name,
    entries: entries.map(hexOf),
    findings: expected,
    fingerprint: state.fingerprint === undefined ? null : hexOf(state.fingerprint),
    at,
    items: items.length,
    root: hexOf(root),
  };
}

function baseVector({ name, base, entry, fault }: BaseCase): BaseVector {
  const { index, frontier, items } = base;
  return {
    name,
    index,
    frontier: frontier.map(hexOf),
    items: items.map(hexOf),
    entry: hexOf(entry),
    ...(fault && { fault }),
  };
}

/** The text of the file: one line a case, always the same. */
export function trustVectorText(): string {
  const list = (cases: readonly object[]) => `[\n${cases.map((one) => `    ${JSON.stringify(one)}`).join(',\n')}\n  ]`;
  const parts = [
    `"about": ${JSON.stringify(ABOUT)}`,
    `"statements": ${list(statementVectors())}`,
    `"logs": ${list([...goodLogs, ...badLogs].map(logVector))}`,
    `"bases": ${list([...goodBases, ...badBases].map(baseVector))}`,
  ];
  return `{\n  ${parts.join(',\n  ')}\n}\n`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(TRUST_VECTOR_FILE, trustVectorText());
